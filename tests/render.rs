//! Every screen as it is drawn, at the sizes people have, and that nothing drawn is ever wrong at any other.

#[path = "render/any.rs"]
mod any;
#[path = "support/deploy.rs"]
mod deploy;
#[path = "render/picture.rs"]
mod picture;
#[path = "support/scene.rs"]
mod scene;
#[path = "render/screens.rs"]
mod screens;

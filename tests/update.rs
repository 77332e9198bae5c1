//! The program without an outside: messages in, state and effects out.

#[path = "support/fixture.rs"]
mod fixture;

#[path = "update/any.rs"]
mod any;
#[path = "update/guards.rs"]
mod guards;
#[path = "update/lists.rs"]
mod lists;
#[path = "update/logs.rs"]
mod logs;
#[path = "update/moving.rs"]
mod moving;
#[path = "update/observing.rs"]
mod observing;
#[path = "update/operating.rs"]
mod operating;
#[path = "update/targets.rs"]
mod targets;
#[path = "update/topics.rs"]
mod topics;

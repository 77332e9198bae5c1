//! What is made of observations. Knows no network, file, clock or terminal.

pub mod capture;
pub mod cause;
pub mod definition;
pub mod drift;
pub mod health;
pub mod hygiene;
pub mod load;
pub mod log;
pub mod metric;
pub mod probe;
pub mod redact;
pub mod rule;
pub mod text;
pub mod timeline;
pub mod watch;

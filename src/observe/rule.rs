//! Alert rules: what is read of a rule file, how far each alert is, what is written on it, and the silences over it.

pub mod alert;
pub mod expr;
pub mod file;
pub mod silence;
pub mod template;
mod yaml;

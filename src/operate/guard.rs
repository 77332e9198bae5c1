//! What an environment asks before it lets an operation start.

//! The event loop and everything that touches the outside.

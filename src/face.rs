//! The two drivers of the one app.

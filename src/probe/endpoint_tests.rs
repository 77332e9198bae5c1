//! Endpoints of this process, scraped: over how many connections, and what is said of those that are none.

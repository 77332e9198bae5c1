//! Rows: order, filter and cells of every list.

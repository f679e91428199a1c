//! Features for other people's software: the questions of OGC API Features, without their HTTP.
//!
//! Part 1 (Core, OGC 17-069r4): items of a collection by box, time and property, page by page. Part 3 (Filtering,
//! OGC 19-079r2): filters in CQL2 text (OGC 21-065r2).

mod cql;
mod html;
mod items;

pub use cql::Filter;
pub use html::page;
pub use items::{ITEMS_MAX, Interval, Items, ItemsQuery, item, items};

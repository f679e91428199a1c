//! The control room: events and their plans, runs, alerts, measures.
#![allow(unused_qualifications, reason = "utoipa's macro repeats the names of parameter types")]

mod plans;

use trust::Action;
use utoipa::OpenApi;

use crate::Routes;

/// The largest body of these routes, bytes: a part with a drawing of 2,000 points.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// The routes of this area.
#[must_use]
pub fn routes() -> Routes {
    use Action::{PlanCrowd, ReadCrowd};
    Routes::new()
        .get("/api/v1/crowd/events", ReadCrowd, plans::list_crowd_events)
        .post("/api/v1/crowd/events", PlanCrowd, plans::add_crowd_event)
        .body_max(BODY_BYTES_MAX)
        .get("/api/v1/crowd/events/{event}", ReadCrowd, plans::get_crowd_event)
        .put("/api/v1/crowd/events/{event}", PlanCrowd, plans::change_crowd_event)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/crowd/events/{event}", PlanCrowd, plans::remove_crowd_event)
        .put("/api/v1/crowd/events/{event}/parts/{kind}/{key}", PlanCrowd, plans::put_crowd_part)
        .body_max(BODY_BYTES_MAX)
        .delete("/api/v1/crowd/events/{event}/parts/{kind}/{key}", PlanCrowd, plans::remove_crowd_part)
        .get("/api/v1/crowd/measures", ReadCrowd, plans::list_crowd_measures)
        .documented(Described::openapi())
}

#[derive(OpenApi)]
#[openapi(paths(
    plans::add_crowd_event,
    plans::change_crowd_event,
    plans::get_crowd_event,
    plans::list_crowd_events,
    plans::list_crowd_measures,
    plans::put_crowd_part,
    plans::remove_crowd_event,
    plans::remove_crowd_part,
))]
struct Described;

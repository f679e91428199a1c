//! Live updates as server-sent events (WHATWG HTML, section 9.2): changes, touched tiles and the clock.
//!
//! A listener has a short queue. One that reads slowly fills it, and then its own reader of the change feed waits and
//! later continues from the durable log: nothing is dropped, and nobody else is slowed down.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::Stream;
use model::Change;
use serde::{Deserialize, Serialize};
use store::{ChangeFeed, StoreError};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};
use views::{Delivery, Listener, change_event};

use crate::{ApiError, AppState, Caller, ClockMode};

/// Events that wait for one listener.
const QUEUE_MAX: usize = 256;
/// Between two readings of the clock.
const CLOCK_EVERY: Duration = Duration::from_secs(1);
/// Between two comments that keep the connection open.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Changes that come within this time are told as one "tiles" event.
const TILES_EVERY: Duration = Duration::from_millis(500);

/// How long one stream lasts. A browser then asks again by itself, and what its user may see is decided anew.
const STREAM_MAX: Duration = Duration::from_secs(15 * 60);

/// What a listener wants to hear.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventParameters {
    /// Short types, separated by commas; all that have a layer when absent.
    types: Option<String>,
}

/// A stream of changes, touched tiles and the clock.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    params(EventParameters, ("Last-Event-ID" = Option<String>, Header, description = "Continue after this event")),
    responses((status = 200, description = "Events: change (Change), tiles (TilesChange), clock (Clock). A stream ends after 15 minutes; ask again with Last-Event-ID", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn stream_events(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Query(asked): Query<EventParameters>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    let types: Vec<String> = asked
        .types
        .iter()
        .flat_map(|t| t.split(','))
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
        .collect();
    let open = state.streams().open(&caller.bucket()).ok_or_else(|| {
        ApiError::too_many("as many event streams are open as one caller, or all together, may have", 30)
            .with_remedy("close streams that nobody looks at, and try again after the seconds in Retry-After")
    })?;
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let feed = state.views.changes(last);
    tokio::spawn(async move {
        let teller = Teller { state, caller, types, sender, tiles: BTreeMap::new(), sequence: 0 };
        _ = tokio::time::timeout(STREAM_MAX, teller.tell(feed)).await;
        drop(open);
    });
    let keep_alive = KeepAlive::new().interval(PING_EVERY).text("ping");
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(keep_alive))
}

/// Says that tiles of a layer changed.
#[derive(Serialize, ToSchema)]
#[schema(as = TilesChange)]
pub(crate) struct TilesEvent {
    /// The id of the layer.
    layer: String,
}

/// The listener is gone.
struct Gone;

struct Teller {
    state: AppState,
    caller: Caller,
    types: Vec<String>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    /// Layers whose tiles changed and that have not been told yet.
    tiles: BTreeMap<String, ()>,
    sequence: u64,
}

impl Teller {
    /// Until the listener goes or the store is closed.
    async fn tell(mut self, mut feed: ChangeFeed) {
        let mut clock = interval(CLOCK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut tiles = interval(TILES_EVERY);
        tiles.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let start = Instant::now();
        loop {
            let told = tokio::select! {
                _ = clock.tick() => self.tell_clock(start).await,
                _ = tiles.tick() => self.tell_tiles().await,
                changes = feed.next() => match changes {
                    Ok(changes) => self.tell_changes(&changes).await,
                    Err(StoreError::ChangesTrimmed { .. } | StoreError::Corrupt { .. }) => self.tell_all_tiles().await,
                    Err(_) => Err(Gone),
                },
                () = self.sender.closed() => Err(Gone),
            };
            if told.is_err() {
                return;
            }
        }
    }

    async fn send(&self, name: &str, body: &impl Serialize, id: Option<u64>) -> Result<(), Gone> {
        let event = Event::default().event(name).json_data(body).map_err(|_| Gone)?;
        let event = match id {
            Some(id) => event.id(id.to_string()),
            None => event,
        };
        self.sender.send(Ok(event)).await.map_err(|_| Gone)
    }

    /// A replay's clock is told each second; that of a live city once, for it is the listener's own.
    async fn tell_clock(&self, start: Instant) -> Result<(), Gone> {
        let clock = self.state.clock.read();
        let first = start.elapsed() < CLOCK_EVERY;
        if clock.mode == ClockMode::Replay || first {
            return self.send("clock", &clock, None).await;
        }
        Ok(())
    }

    async fn tell_changes(&mut self, changes: &[Change]) -> Result<(), Gone> {
        let layers = self.state.views.layers();
        for change in changes {
            let listener = Listener { tenant: &self.caller.tenant, scope: &self.caller.scope, types: &self.types };
            let Some(event) = change_event(change, layers, &listener) else { continue };
            let layer = event.layer.as_deref().and_then(|id| layers.get(id));
            if let Some(layer) = layer.filter(|l| l.delivery == Delivery::Tiles) {
                self.tiles.insert(layer.id.clone(), ());
            }
            self.sequence = change.sequence;
            self.send("change", &event, Some(change.sequence)).await?;
        }
        Ok(())
    }

    async fn tell_tiles(&mut self) -> Result<(), Gone> {
        for (layer, ()) in std::mem::take(&mut self.tiles) {
            self.send("tiles", &TilesEvent { layer }, None).await?;
        }
        Ok(())
    }

    /// Changes were missed: whatever the listener shows may be old.
    async fn tell_all_tiles(&mut self) -> Result<(), Gone> {
        for layer in &self.state.views.layers().layers {
            self.tiles.insert(layer.id.clone(), ());
        }
        self.tell_tiles().await
    }
}

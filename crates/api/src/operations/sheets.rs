//! Data protection sheets: what is measured, why, for how long, and who may see it. Those of public sources are public:
//! residents may know what is measured in their street.

use axum::{
    Json,
    extract::{Path, State},
};
use model::ReadScope;
use serde::Serialize;
use sources::{DataSheet, config::expand};
use trust::{Action, Role};
use url::Url;
use utoipa::ToSchema;

use crate::{ApiError, AppState, Caller};

/// A sheet with what the server knows beside the settings of the source.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DataSheetShown)]
pub(super) struct Shown {
    #[serde(flatten)]
    sheet: DataSheet,
    /// The roles that may read its entities, beside everybody where it is public.
    readers: Vec<String>,
    /// To how many other servers its changes are sent, by subscriptions that watch its type.
    receiver_count: usize,
    /// Which those are, for whoever may see the state of the sources.
    receivers: Vec<String>,
}

/// The sheets that the caller may see, in the order of the settings.
#[utoipa::path(
    get,
    path = "/api/v1/data-sheets",
    responses((status = 200, description = "A sheet for each source", body = Vec<Shown>))
)]
pub(super) async fn list_data_sheets(State(state): State<AppState>, caller: Caller) -> Json<Vec<Shown>> {
    let sheets = state.board.sheets(state.clock.wall());
    let seen = sheets.into_iter().filter(|sheet| may_see(&state, &caller, sheet));
    Json(seen.map(|sheet| shown(&state, &caller, sheet)).collect())
}

/// The sheet of one source.
#[utoipa::path(
    get,
    path = "/api/v1/data-sheets/{source}",
    params(("source" = String, Path, description = "The name of the source")),
    responses((status = 200, description = "The sheet", body = Shown))
)]
pub(super) async fn get_data_sheet(
    State(state): State<AppState>,
    caller: Caller,
    Path(source): Path<String>,
) -> Result<Json<Shown>, ApiError> {
    let sheets = state.board.sheets(state.clock.wall());
    let found = sheets.into_iter().find(|sheet| sheet.source == source && may_see(&state, &caller, sheet));
    // Whether there is a source that is not public is nobody's business: it is not there.
    let sheet = found.ok_or_else(|| {
        ApiError::not_found(format!("there is no public source \"{source}\""))
            .with_remedy("use a name of GET /api/v1/data-sheets; sign in to see sources that are not public")
    })?;
    Ok(Json(shown(&state, &caller, sheet)))
}

fn may_see(state: &AppState, caller: &Caller, sheet: &DataSheet) -> bool {
    // Sources belong to the city: who may read everything of another tenant is a stranger here.
    let is_insider = caller.scope == ReadScope::All && caller.tenant == state.door.tenant;
    sheet.public || is_insider
}

fn shown(state: &AppState, caller: &Caller, sheet: DataSheet) -> Shown {
    let may_read = |role: &&Role| !sheet.internal && role.may(Action::ReadEntities);
    let readers = Role::ALL.iter().filter(may_read).map(|role| role.name().to_owned()).collect();
    let hosts = if sheet.internal { vec![] } else { receivers(state, &sheet.entity_type) };
    let receiver_count = hosts.len();
    let receivers = if caller.may(state, Action::ReadSources) { hosts } else { vec![] };
    Shown { sheet, readers, receiver_count, receivers }
}

/// The hosts that hear of changes of a type, each once. A subscription that names no type hears of all.
fn receivers(state: &AppState, entity_type: &str) -> Vec<String> {
    let wanted = expand(entity_type);
    let subscriptions = state.subscriptions.list(&state.door.tenant).unwrap_or_default();
    let names = |types: &str| {
        // The words of a selection such as `(A|B);C`: rather a receiver too many than one too few.
        let mut words = types.split(['(', ')', '|', ';', ',']).map(str::trim);
        words.any(|word| word == "*" || model::Iri::from(word).short() == wanted.short())
    };
    let watching = subscriptions
        .iter()
        .filter(|one| one.entities.is_empty() || one.entities.iter().any(|selector| names(&selector.types)));
    let host = |uri: &str| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let mut hosts: Vec<String> = watching.filter_map(|one| host(&one.notification.endpoint.uri)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

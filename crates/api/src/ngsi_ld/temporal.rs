//! The temporal evolution of entities over HTTP (ETSI GS CIM 009, 6.18 to 6.22, 6.24 and 6.3.10).

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use model::{EntityId, ReadScope};
use platform::{
    context::Context,
    ngsi::{ErrorKind, InputForm, NgsiError, View, parse_attribute, parse_fragment},
    query::{EntityQuery, Selector},
};
use serde_json::Value;
use temporal::{
    Budget, Datasets, OrderBy, TemporalFound, TemporalParameters, TemporalQuery, TemporalQueryError, TemporalSearch,
    TemporalWriter, Written, write_evolution,
};
use trust::Action;

use super::{
    Ask, BODY_BYTES_MAX, Media, Params, page_links,
    params::{QUERY, VIEW, invalid},
    post_query::{geo_params, plain_params, selectors_of},
    query::{check_selective, entity_query},
    respond::with_count,
};
use crate::{ApiError, AppState, Routes};

/// Parameters of temporal queries.
const TEMPORAL: &[&str] =
    &["timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration"];

/// The routes of the temporal evolution of entities.
#[must_use]
pub(super) fn temporal_routes() -> Routes {
    use Action::{ReadHistory, WriteHistory};
    let mut routes = Routes::new();
    for path in ["/ngsi-ld/v1/temporal/entities", "/ngsi-ld/v1/temporal/entities/"] {
        routes = routes
            .get(path, ReadHistory, query_evolutions)
            .post(path, WriteHistory, create_evolution)
            .body_max(BODY_BYTES_MAX);
    }
    for path in ["/ngsi-ld/v1/temporal/entityOperations/query", "/ngsi-ld/v1/temporal/entityOperations/query/"] {
        routes = routes.post(path, ReadHistory, post_temporal_query);
    }
    for path in ["/ngsi-ld/v1/temporal/entities/{id}/attrs", "/ngsi-ld/v1/temporal/entities/{id}/attrs/"] {
        routes = routes.post(path, WriteHistory, append_evolution).body_max(BODY_BYTES_MAX);
    }
    for path in ["/ngsi-ld/v1/temporal/entities//attrs", "/ngsi-ld/v1/temporal/entities//attrs/"] {
        routes = routes.post(path, WriteHistory, refuse_missing_id);
    }
    let instance = "/ngsi-ld/v1/temporal/entities/{id}/attrs/{attr}/{instance}";
    routes
        .get("/ngsi-ld/v1/temporal/entities/{id}", ReadHistory, retrieve_evolution)
        .delete("/ngsi-ld/v1/temporal/entities/{id}", WriteHistory, delete_evolution)
        .delete("/ngsi-ld/v1/temporal/entities/{id}/attrs/{attr}", WriteHistory, delete_attribute_evolution)
        .delete("/ngsi-ld/v1/temporal/entities/{id}/attrs/{attr}/", WriteHistory, delete_attribute_evolution)
        .patch(instance, WriteHistory, update_instance)
        .delete(instance, WriteHistory, delete_instance)
        .delete("/ngsi-ld/v1/temporal/entities//attrs/{attr}", WriteHistory, refuse_missing_id)
        .delete("/ngsi-ld/v1/temporal/entities//attrs/{attr}/{instance}", WriteHistory, refuse_missing_id)
        .patch("/ngsi-ld/v1/temporal/entities//attrs/{attr}/{instance}", WriteHistory, refuse_missing_id)
        .delete("/ngsi-ld/v1/temporal/entities/{id}/attrs//{instance}", WriteHistory, refuse_missing_id)
}

/// What a temporal answer is made of.
struct Question {
    query: TemporalQuery,
    view: View,
    context: Arc<Context>,
    media: Media,
}

impl Question {
    fn read(ask: &Ask, params: &Params, context: Arc<Context>) -> Result<Self, ApiError> {
        let parameters = TemporalParameters {
            timerel: params.get("timerel"),
            time_at: params.get("timeAt"),
            end_time_at: params.get("endTimeAt"),
            timeproperty: params.get("timeproperty"),
            last_n: params.get("lastN"),
            format: params.get("format"),
            options: params.get("options"),
            aggr_methods: params.get("aggrMethods"),
            aggr_period: params.get("aggrPeriodDuration"),
        };
        let query = TemporalQuery::parse(&parameters).map_err(|error| match error {
            TemporalQueryError::UnknownOption(problem) => invalid(problem.to_string()),
            TemporalQueryError::Parameter(problem) => problem.into(),
        })?;
        // The forms of time are not those of attributes, which are always complete here.
        let mut plain = params.clone();
        plain.set("format", "normalized".to_owned());
        let view = View { sys_attrs: query.sys_attrs, ..plain.view(&context)? };
        check_projection(&view)?;
        Ok(Self { query, view, context, media: ask.media(false)? })
    }

    /// Runs a search on a thread of its own: history may be long.
    async fn run(
        &self,
        state: &AppState,
        ask: &Ask,
        search: impl FnOnce(&TemporalSearch<'_>) -> Result<TemporalFound, NgsiError> + Send + 'static,
    ) -> Result<TemporalFound, ApiError> {
        let snapshot = state.store.snapshot().map_err(NgsiError::from)?;
        let (tenant, scope) = (ask.tenant().clone(), ask.caller.scope.clone());
        let (query, view) = (self.query.clone(), self.view.clone());
        let instances_max = state.door.temporal_instances_max;
        let searched = state.questions().run(move || {
            let (snapshot, tenant, scope, query, view) = (&snapshot, &tenant, &scope, &query, &view);
            let budget = &Budget::default();
            search(&TemporalSearch { snapshot, tenant, scope, query, view, instances_max, budget })
        });
        Ok(searched.await??)
    }

    /// The answer: 206 with its range when it is not everything that was asked for.
    fn answer(&self, ask: &Ask, found: &TemporalFound, list: bool) -> Response {
        let mut out = Vec::with_capacity(4_096);
        if list {
            out.push(b'[');
        }
        for (i, evolution) in found.evolutions.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            let with_context = self.media == Media::LdJson;
            write_evolution(&mut out, evolution, &self.context, &self.view, &self.query, with_context);
        }
        if list {
            out.push(b']');
        }
        let mut response = ask.answer(self.media, &self.context, out);
        if let Some(partial) = &found.partial {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            add_range(response.headers_mut(), &partial.to_string());
        }
        response
    }
}

fn add_range(headers: &mut HeaderMap, range: &str) {
    if let Ok(value) = HeaderValue::from_str(range) {
        headers.insert(header::CONTENT_RANGE, value);
    }
}

/// A member cannot be picked and omitted at once.
fn check_projection(view: &View) -> Result<(), NgsiError> {
    let (Some(pick), Some(omit)) = (&view.pick, &view.omit) else { return Ok(()) };
    match pick.0.iter().find(|(member, _)| omit.0.iter().any(|(other, _)| other == member)) {
        Some(_) => Err(NgsiError::bad_data("pick and omit name the same member; leave it out of one of them")),
        None => Ok(()),
    }
}

/// Retrieves the temporal evolution of an entity.
pub(super) async fn retrieve_evolution(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[VIEW, TEMPORAL])?;
    let context = ask.link_context(&state).await?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let question = Question::read(&ask, &ask.params, context)?;
    let found = question.run(&state, &ask, move |search| search.one(&id)).await?;
    Ok(question.answer(&ask, &found, false))
}

/// Queries the temporal evolution of entities.
pub(super) async fn query_evolutions(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[VIEW, QUERY, TEMPORAL])?;
    let context = ask.link_context(&state).await?;
    answer_query(&state, &ask, &ask.params, context, None).await
}

/// Queries the temporal evolution of entities by a body.
pub(super) async fn post_temporal_query(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[VIEW, QUERY, TEMPORAL])?;
    let body = ask.body(&state).await?;
    let Value::Object(mut members) = body.value else {
        return Err(NgsiError::bad_data("a query is a JSON object with type \"Query\"").into());
    };
    if members.get("type").and_then(Value::as_str) != Some("Query") {
        return Err(NgsiError::bad_data("type: a query has the type \"Query\"").into());
    }
    let mut params = ask.params.clone();
    let selectors = members.shift_remove("entities").map(|e| selectors_of(&e, &body.context)).transpose()?;
    if let Some(geo) = members.shift_remove("geoQ") {
        geo_params(&geo, &mut params)?;
    }
    if let Some(temporal) = members.shift_remove("temporalQ") {
        temporal_params(&temporal, &mut params)?;
    }
    plain_params(members, &mut params)?;
    answer_query(&state, &ask, &params, body.context, selectors).await
}

/// The members of `temporalQ` mean the same as the parameters of their names.
fn temporal_params(temporal: &Value, params: &mut Params) -> Result<(), NgsiError> {
    let members = temporal.as_object().ok_or_else(|| NgsiError::bad_data("temporalQ: it must be a JSON object"))?;
    for name in TEMPORAL {
        let text = match members.get(*name) {
            None => continue,
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Array(items)) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                let refuse = || NgsiError::bad_data(format!("temporalQ.{name}: give a string or an array of strings"));
                texts.ok_or_else(refuse)?.join(",")
            }
            Some(_) => return Err(NgsiError::bad_data(format!("temporalQ.{name}: give a string"))),
        };
        params.set(name, text);
    }
    Ok(())
}

async fn answer_query(
    state: &AppState,
    ask: &Ask,
    params: &Params,
    context: Arc<Context>,
    selectors: Option<Vec<Selector>>,
) -> Result<Response, ApiError> {
    let question = Question::read(ask, params, context)?;
    if question.query.relation.is_none() && question.query.property == temporal::TimeProperty::ObservedAt {
        let detail = "a temporal query says which time it means; give timerel and timeAt";
        return Err(NgsiError::bad_data(detail).into());
    }
    check_selective(params, &question.view, selectors.is_some())?;
    let mut select = entity_query(params, &question.context, &question.view)?;
    if let Some(selectors) = selectors {
        select.selectors = selectors;
    }
    let order = params.get("orderBy").map(|text| OrderBy::parse(text, &question.context)).transpose()?;
    ask.check_tenant_with_history(state)?;
    let (limit, offset) = (select.limit, select.offset);
    let found = question.run(state, ask, move |search| search.all(&select, order.as_ref())).await?;
    let mut response = question.answer(ask, &found, true);
    page_links(response.headers_mut(), ask, limit, offset, found.more);
    with_count(response.headers_mut(), found.total);
    Ok(response)
}

impl Ask {
    /// As `check_tenant`, for tenants that may have nothing but a past.
    fn check_tenant_with_history(&self, state: &AppState) -> Result<(), NgsiError> {
        let known = self.check_tenant(state);
        if !matches!(&known, Err(error) if error.kind == ErrorKind::NonexistentTenant) {
            return known;
        }
        let snapshot = state.store.snapshot()?;
        let (query, view, budget) = (&TemporalQuery::default(), &View::default(), &Budget::default());
        let (tenant, scope) = (self.tenant(), &ReadScope::All);
        let search = TemporalSearch { snapshot: &snapshot, tenant, scope, query, view, instances_max: 1, budget };
        let any = EntityQuery { limit: 1, ..EntityQuery::default() };
        if search.all(&any, None)?.evolutions.is_empty() { known } else { Ok(()) }
    }

    pub(super) fn temporal_writer(&self) -> TemporalWriter<'_> {
        TemporalWriter { store: &self.store, tenant: self.tenant(), now: self.now }
    }
}

/// Creates the temporal evolution of an entity, or adds to it.
pub(super) async fn create_evolution(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let body = ask.body(&state).await?;
    let fragment = parse_fragment(body.value, &body.context, InputForm::Normalized)?;
    let id = fragment.id.clone();
    match ask.temporal_writer().create_or_update(fragment).await? {
        Written::Updated => Ok(ask.done(StatusCode::NO_CONTENT)),
        Written::Created => {
            let location = id.map(|id| format!("/ngsi-ld/v1/temporal/entities/{id}")).unwrap_or_default();
            Ok(ask.created(&location))
        }
    }
}

/// Adds instances of attributes to the temporal evolution of an entity.
pub(super) async fn append_evolution(
    State(state): State<AppState>,
    Path(id): Path<String>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let fragment = parse_fragment(body.value, &body.context, InputForm::Normalized)?;
    ask.temporal_writer().append(&id, fragment).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Deletes the temporal evolution of an entity.
pub(super) async fn delete_evolution(Path(id): Path<String>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    ask.temporal_writer().delete_entity(&id).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Deletes the temporal evolution of one attribute.
pub(super) async fn delete_attribute_evolution(
    State(state): State<AppState>,
    Path((id, attr)): Path<(String, String)>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["datasetId", "deleteAll", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let name = ask.link_context(&state).await?.expand(&attr)?;
    let dataset = ask.params.get("datasetId").filter(|dataset| !dataset.is_empty() && *dataset != "@none");
    let datasets = match ask.params.flag("deleteAll")? {
        true => Datasets::All,
        false => Datasets::One(dataset.map(str::to_owned)),
    };
    ask.temporal_writer().delete_attribute(&id, &name, &datasets).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Corrects one instance of an attribute.
pub(super) async fn update_instance(
    State(state): State<AppState>,
    Path((id, attr, instance)): Path<(String, String, String)>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["options", "local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let body = ask.body(&state).await?;
    let name = body.context.expand(&attr)?;
    let mut value = body.value;
    if let Value::Object(members) = &mut value {
        members.shift_remove("@context");
    }
    if value.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(NgsiError::bad_data("the body must be an attribute: a JSON object that is not empty").into());
    }
    let mut fragments = parse_attribute(&attr, value, &body.context)?;
    let fragment = fragments.pop().ok_or_else(|| NgsiError::bad_data("the body must be one attribute"))?;
    ask.temporal_writer().update_instance(&id, &name, &instance, fragment).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Deletes one instance of an attribute.
pub(super) async fn delete_instance(
    State(state): State<AppState>,
    Path((id, attr, instance)): Path<(String, String, String)>,
    ask: Ask,
) -> Result<Response, ApiError> {
    ask.params.check_known(&[&["local", "via"]])?;
    let id = EntityId::parse(&id).map_err(NgsiError::from)?;
    let name = ask.link_context(&state).await?.expand(&attr)?;
    ask.temporal_writer().delete_instance(&id, &name, &instance).await?;
    Ok(ask.done(StatusCode::NO_CONTENT))
}

/// Answers addresses in which the id of the entity or the name of the attribute is left out.
pub(super) async fn refuse_missing_id(_: Ask) -> ApiError {
    NgsiError::bad_data("the address leaves out an id or the name of an attribute; write both").into()
}

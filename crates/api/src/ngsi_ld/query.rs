//! Queries over the current state (ETSI GS CIM 009, 6.4.3.2).

use axum::{extract::State, response::Response};
use model::{Entity, Iri, ReadScope, Tenant};
use platform::{
    context::Context,
    ngsi::{Member, NgsiError, View, write_entity, write_feature_collection},
    query::{EntityQuery, Found, Selector, find, follow, follow_flat, pattern},
};

use super::{
    Ask, Media, Params,
    entities::write_flat,
    page_links,
    params::{Join, QUERY, VIEW},
    respond::with_count,
};
use crate::{ApiError, AppState};

/// Queries entities.
pub(super) async fn query_entities(State(state): State<AppState>, ask: Ask) -> Result<Response, ApiError> {
    ask.params.check_known(&[VIEW, QUERY])?;
    let context = ask.link_context(&state).await?;
    answer_query(&state, &ask, &ask.params, &context, None).await
}

/// What is shared by queries in the address and in the body.
pub(super) async fn answer_query(
    state: &AppState,
    ask: &Ask,
    params: &Params,
    context: &Context,
    selectors: Option<Vec<Selector>>,
) -> Result<Response, ApiError> {
    let media = ask.media(true)?;
    let view = params.view(context)?;
    check_selective(params, &view, selectors.is_some())?;
    let mut query = entity_query(params, context, &view)?;
    if let Some(selectors) = selectors {
        query.selectors = selectors;
    }
    let join = params.join()?;
    ask.check_tenant(state)?;
    let (limit, offset) = (query.limit, query.offset);
    let found = run(state, ask.tenant(), query, &ask.caller.scope).await?;
    let out = write_found(state, ask, &found, context, &view, (media, join))?;
    let mut response = ask.answer(media, context, out);
    page_links(response.headers_mut(), ask, limit, offset, found.more);
    with_count(response.headers_mut(), found.total);
    Ok(response)
}

/// Refuses queries that would select everything (5.7.2).
pub(super) fn check_selective(params: &Params, view: &View, selectors: bool) -> Result<(), NgsiError> {
    let picks =
        view.pick.as_ref().is_some_and(|pick| pick.0.iter().any(|(member, _)| matches!(member, Member::Attribute(_))));
    let given = ["type", "attrs", "q", "georel"].iter().any(|name| params.get(name).is_some());
    if given || picks || selectors || params.flag("local")? {
        return Ok(());
    }
    Err(NgsiError::bad_data(
        "the query would select everything; give at least one of type, attrs, q, a geo-query, local",
    ))
}

/// Attributes of which an entity must have one: those of `attrs`, or those of `pick` when it names nothing else.
fn wanted_attributes(view: &View) -> Vec<Iri> {
    let picked = view.pick.iter().flat_map(|pick| &pick.0).map(|(member, _)| match member {
        Member::Attribute(name) => Some(name.clone()),
        Member::Id | Member::Type | Member::Scope => None,
    });
    match picked.collect::<Option<Vec<Iri>>>() {
        Some(picked) if !picked.is_empty() => picked,
        _ => view.attrs.clone(),
    }
}

/// The query that parameters describe.
pub(super) fn entity_query(params: &Params, context: &Context, view: &View) -> Result<EntityQuery, NgsiError> {
    let selector = Selector {
        ids: params.ids()?,
        id_pattern: params.get("idPattern").map(pattern).transpose()?,
        types: params.types(context)?,
    };
    let (limit, offset) = params.page()?;
    Ok(EntityQuery {
        selectors: if selector.is_empty() { vec![] } else { vec![selector] },
        attrs: wanted_attributes(view),
        q: params.q(context)?,
        geo: params.geo_q(context)?,
        scope: params.scope_q()?,
        offset,
        limit,
        count: params.counts()?,
        order: params.order_by(context)?,
    })
}

/// Runs a query: short ones at once, those that may have to look at many entities on a thread of their own.
async fn run(state: &AppState, tenant: &Tenant, query: EntityQuery, scope: &ReadScope) -> Result<Found, ApiError> {
    let snapshot = state.store.snapshot().map_err(NgsiError::from)?;
    if query.is_short() && *scope == ReadScope::All {
        return Ok(find(&snapshot, tenant, &query, scope)?);
    }
    let (tenant, scope) = (tenant.clone(), scope.clone());
    Ok(state.questions().run(move || find(&snapshot, &tenant, &query, &scope)).await??)
}

fn write_found(
    state: &AppState,
    ask: &Ask,
    found: &Found,
    context: &Context,
    view: &View,
    (media, join): (Media, Option<(Join, usize)>),
) -> Result<Vec<u8>, NgsiError> {
    let mut out = Vec::with_capacity(1_024 + found.entities.len() * 768);
    let entities: Vec<&Entity> = found.entities.iter().map(|stored| &stored.value).collect();
    if media == Media::GeoJson {
        write_feature_collection(&mut out, entities, context, view, ask.wants_context_in_body());
        return Ok(out);
    }
    let mut linked = None;
    if let Some((join, level)) = join {
        let snapshot = state.store.snapshot()?;
        let reached = follow(&snapshot, ask.tenant(), &ask.caller.scope, entities.iter().copied(), level)?;
        if join == Join::Flat {
            let others = follow_flat(&entities, &reached, view);
            let all = entities.iter().map(|e| (*e, view)).chain(others.iter().map(|(e, v)| (&**e, v)));
            write_flat(&mut out, all, context, media, true);
            return Ok(out);
        }
        linked = Some(reached);
    }
    out.push(b'[');
    for (i, entity) in entities.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_entity(&mut out, entity, context, view, linked.as_ref(), media == Media::LdJson);
    }
    out.push(b']');
    Ok(out)
}

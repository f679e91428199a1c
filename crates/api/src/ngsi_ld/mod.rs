//! The NGSI-LD API (ETSI GS CIM 009, clause 6): entities, batches, discovery, contexts, history, subscriptions.
//!
//! Handlers here only translate: HTTP to the operations of `platform`, and results to bytes.

mod attributes;
mod batch;
mod contexts;
mod entities;
mod post_query;
mod query;
mod request;
mod respond;
mod subscriptions;
mod temporal;
mod types;

pub(crate) use platform::ngsi::params::{self, Params};
pub(crate) use request::{Ask, Media};
pub(crate) use respond::{error_json, page_links};
pub use subscriptions::subscription_rights;

use trust::Action;

use crate::Routes;

/// The largest body of one request, bytes.
const BODY_BYTES_MAX: usize = 20 * 1024 * 1024;

/// The routes of entities, batches, discovery, contexts, subscriptions and the temporal evolution.
#[must_use]
pub fn routes() -> Routes {
    entity_routes()
        .merge(batch_routes())
        .merge(discovery_routes())
        .merge(context_routes())
        .merge(subscriptions::subscription_routes())
        .merge(temporal::temporal_routes())
}

fn entity_routes() -> Routes {
    use Action::{DeleteEntities, ReadEntities, WriteEntities};
    let mut routes = Routes::new();
    // The standard's resource is `entities/`, its examples leave the slash away: both are used.
    for path in ["/ngsi-ld/v1/entities", "/ngsi-ld/v1/entities/"] {
        routes = routes
            .get(path, ReadEntities, query::query_entities)
            .post(path, WriteEntities, entities::create_entity)
            .body_max(BODY_BYTES_MAX)
            .delete(path, DeleteEntities, entities::purge_entities);
    }
    let one = "/ngsi-ld/v1/entities/{id}";
    for attrs in ["/ngsi-ld/v1/entities/{id}/attrs", "/ngsi-ld/v1/entities/{id}/attrs/"] {
        routes = routes
            .post(attrs, WriteEntities, attributes::append_attributes)
            .body_max(BODY_BYTES_MAX)
            .patch(attrs, WriteEntities, attributes::update_attributes)
            .body_max(BODY_BYTES_MAX);
    }
    for path in ["/ngsi-ld/v1/entities", "/ngsi-ld/v1/entities/"] {
        routes = routes.patch(path, WriteEntities, entities::name_the_entity).put(
            path,
            WriteEntities,
            entities::name_the_entity,
        );
    }
    for path in ["/ngsi-ld/v1/entities//attrs", "/ngsi-ld/v1/entities//attrs/"] {
        routes = routes.post(path, WriteEntities, entities::name_the_entity).patch(
            path,
            WriteEntities,
            entities::name_the_entity,
        );
    }
    let nameless = "/ngsi-ld/v1/entities//attrs/{attr}";
    routes = routes
        .patch(nameless, WriteEntities, entities::name_the_entity)
        .put(nameless, WriteEntities, entities::name_the_entity)
        .delete(nameless, DeleteEntities, entities::name_the_entity);
    let attr = "/ngsi-ld/v1/entities/{id}/attrs/{attr}";
    routes
        .get(one, ReadEntities, entities::retrieve_entity)
        .delete(one, DeleteEntities, entities::delete_entity)
        .patch(one, WriteEntities, entities::merge_entity)
        .body_max(BODY_BYTES_MAX)
        .put(one, WriteEntities, entities::replace_entity)
        .body_max(BODY_BYTES_MAX)
        .patch(attr, WriteEntities, attributes::partial_update)
        .body_max(BODY_BYTES_MAX)
        .put(attr, WriteEntities, attributes::replace_attribute)
        .body_max(BODY_BYTES_MAX)
        .delete(attr, DeleteEntities, attributes::delete_attribute)
}

fn batch_routes() -> Routes {
    use Action::{DeleteEntities, ReadEntities, WriteEntities};
    let base = |name| match name {
        "create" => ["/ngsi-ld/v1/entityOperations/create", "/ngsi-ld/v1/entityOperations/create/"],
        "upsert" => ["/ngsi-ld/v1/entityOperations/upsert", "/ngsi-ld/v1/entityOperations/upsert/"],
        "update" => ["/ngsi-ld/v1/entityOperations/update", "/ngsi-ld/v1/entityOperations/update/"],
        "merge" => ["/ngsi-ld/v1/entityOperations/merge", "/ngsi-ld/v1/entityOperations/merge/"],
        "delete" => ["/ngsi-ld/v1/entityOperations/delete", "/ngsi-ld/v1/entityOperations/delete/"],
        _ => ["/ngsi-ld/v1/entityOperations/query", "/ngsi-ld/v1/entityOperations/query/"],
    };
    let mut routes = Routes::new();
    for i in 0..2 {
        routes = routes
            .post(base("create")[i], WriteEntities, batch::batch_create)
            .body_max(BODY_BYTES_MAX)
            .post(base("upsert")[i], WriteEntities, batch::batch_upsert)
            .body_max(BODY_BYTES_MAX)
            .post(base("update")[i], WriteEntities, batch::batch_update)
            .body_max(BODY_BYTES_MAX)
            .post(base("merge")[i], WriteEntities, batch::batch_merge)
            .body_max(BODY_BYTES_MAX)
            .post(base("delete")[i], DeleteEntities, batch::batch_delete)
            .body_max(BODY_BYTES_MAX)
            .post(base("query")[i], ReadEntities, post_query::post_query)
            .body_max(BODY_BYTES_MAX);
    }
    routes
}

fn discovery_routes() -> Routes {
    use Action::ReadEntities;
    let mut routes = Routes::new();
    for path in ["/ngsi-ld/v1/types", "/ngsi-ld/v1/types/"] {
        routes = routes.get(path, ReadEntities, types::list_types);
    }
    for path in ["/ngsi-ld/v1/attributes", "/ngsi-ld/v1/attributes/"] {
        routes = routes.get(path, ReadEntities, types::list_attributes);
    }
    routes.get("/ngsi-ld/v1/types/{type}", ReadEntities, types::retrieve_type).get(
        "/ngsi-ld/v1/attributes/{attr}",
        ReadEntities,
        types::retrieve_attribute,
    )
}

fn context_routes() -> Routes {
    use Action::{ManageContexts, ReadEntities};
    let mut routes = Routes::new();
    for path in ["/ngsi-ld/v1/jsonldContexts", "/ngsi-ld/v1/jsonldContexts/"] {
        routes =
            routes.get(path, ReadEntities, contexts::list_contexts).post(path, ManageContexts, contexts::add_context);
    }
    routes.get("/ngsi-ld/v1/jsonldContexts/{id}", ReadEntities, contexts::serve_context).delete(
        "/ngsi-ld/v1/jsonldContexts/{id}",
        ManageContexts,
        contexts::delete_context,
    )
}

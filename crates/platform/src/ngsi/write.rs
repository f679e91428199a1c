//! Entities to wire JSON, straight into bytes: normalised, concise, simplified and GeoJSON.

use std::{collections::HashMap, sync::Arc};

use model::{Attribute, AttributeValue, Entity, EntityId, Iri};

use super::{
    Form, Member, View,
    write_attribute::{member, write_string, write_timestamp, write_value},
};
use crate::context::Context;

/// The entities that relationships link to, for answers that show them inside (`join=inline`).
#[derive(Clone, Debug, Default)]
pub struct Linked {
    /// Those that exist and may be seen.
    pub entities: HashMap<EntityId, Arc<Entity>>,
    /// How many links deep they are shown.
    pub level_max: usize,
}

/// What writing needs beside the thing to write.
#[derive(Clone, Copy)]
pub(super) struct Scribe<'a> {
    pub context: &'a Context,
    pub view: &'a View,
    pub linked: Option<&'a Linked>,
}

/// Writes an entity; `with_context` adds the `@context` member (`application/ld+json`).
pub fn write_entity(
    out: &mut Vec<u8>,
    entity: &Entity,
    context: &Context,
    view: &View,
    linked: Option<&Linked>,
    with_context: bool,
) {
    let scribe = Scribe { context, view, linked };
    out.push(b'{');
    if view.shows(&Member::Id) {
        member(out, "id");
        write_string(out, entity.id.as_str());
    }
    scribe.members(out, entity, 0);
    if with_context {
        member(out, "@context");
        write_value(out, context.wire());
    }
    out.push(b'}');
}

/// Writes an entity as a GeoJSON feature (4.5.16).
pub fn write_feature(out: &mut Vec<u8>, entity: &Entity, context: &Context, view: &View, with_context: bool) {
    let scribe = Scribe { context, view, linked: None };
    out.push(b'{');
    member(out, "id");
    write_string(out, entity.id.as_str());
    out.extend_from_slice(b",\"type\":\"Feature\",\"geometry\":");
    match geometry_of(entity, view) {
        Some(geometry) => write_value(out, geometry),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"properties\":{");
    scribe.members(out, entity, 0);
    out.push(b'}');
    if with_context {
        member(out, "@context");
        write_value(out, context.wire());
    }
    out.push(b'}');
}

/// Writes entities as a GeoJSON feature collection.
pub fn write_feature_collection<'e>(
    out: &mut Vec<u8>,
    entities: impl IntoIterator<Item = &'e Entity>,
    context: &Context,
    view: &View,
    with_context: bool,
) {
    out.extend_from_slice(b"{\"type\":\"FeatureCollection\",\"features\":[");
    for (i, entity) in entities.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_feature(out, entity, context, view, false);
    }
    out.push(b']');
    if with_context {
        member(out, "@context");
        write_value(out, context.wire());
    }
    out.push(b'}');
}

fn geometry_of<'e>(entity: &'e Entity, view: &View) -> Option<&'e model::Geometry> {
    let name = view.geometry_property.as_ref().map_or(Entity::LOCATION, Iri::as_str);
    let instances = entity.attributes.get(name)?;
    let shown = |a: &&Attribute| view.shows_instance(a);
    let default = instances.iter().filter(shown).find(|a| a.dataset_id.is_none());
    match &default.or_else(|| instances.iter().find(shown))?.value {
        AttributeValue::Geo(geometry) => Some(geometry),
        _ => None,
    }
}

impl Scribe<'_> {
    /// Type, scope, times and attributes.
    fn members(&self, out: &mut Vec<u8>, entity: &Entity, level: usize) {
        if self.view.shows(&Member::Type) {
            member(out, "type");
            self.names(out, &entity.types);
        }
        if !entity.scopes.is_empty() && self.view.shows(&Member::Scope) {
            member(out, "scope");
            match entity.scopes.as_slice() {
                [scope] => write_string(out, scope),
                scopes => write_value(out, scopes),
            }
        }
        if self.view.sys_attrs {
            member(out, "createdAt");
            write_timestamp(out, entity.created_at);
            member(out, "modifiedAt");
            write_timestamp(out, entity.modified_at);
        }
        for (name, instances) in &entity.attributes {
            if self.view.shows_attribute(name) {
                let shown = instances.iter().filter(|i| self.view.shows_instance(i));
                self.instances(out, name, shown, Some(name), level);
            }
        }
    }

    /// All instances of one attribute as one member.
    pub(super) fn instances<'e>(
        &self,
        out: &mut Vec<u8>,
        name: &Iri,
        instances: impl Iterator<Item = &'e Attribute> + Clone,
        link: Option<&Iri>,
        level: usize,
    ) {
        let count = instances.clone().count();
        if count == 0 {
            return;
        }
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(&self.context.compact(name).member);
        if self.view.form == Form::Simplified {
            return self.simplified_instances(out, instances, count, link, level);
        }
        if count > 1 {
            out.push(b'[');
        }
        for (i, instance) in instances.enumerate() {
            if i > 0 {
                out.push(b',');
            }
            self.attribute(out, instance, link, level);
        }
        if count > 1 {
            out.push(b']');
        }
    }

    /// One value, or `{"dataset": {"@none": …, "urn:…": …}}` when there are several (4.5.4).
    fn simplified_instances<'e>(
        &self,
        out: &mut Vec<u8>,
        mut instances: impl Iterator<Item = &'e Attribute>,
        count: usize,
        link: Option<&Iri>,
        level: usize,
    ) {
        if count == 1 {
            if let Some(instance) = instances.next() {
                self.simplified(out, instance, link, level);
            }
            return;
        }
        out.extend_from_slice(b"{\"dataset\":{");
        for (i, instance) in instances.enumerate() {
            if i > 0 {
                out.push(b',');
            }
            write_string(out, instance.dataset_id.as_deref().unwrap_or("@none"));
            out.push(b':');
            self.simplified(out, instance, link, level);
        }
        out.extend_from_slice(b"}}");
    }

    /// A linked entity inside the relationship `name`.
    pub(super) fn linked_entity(&self, out: &mut Vec<u8>, entity: &Entity, name: &Iri, level: usize) {
        let view = self.view.of_linked(name);
        let inner = Scribe { view: &view, ..*self };
        out.push(b'{');
        if view.shows(&Member::Id) {
            member(out, "id");
            write_string(out, entity.id.as_str());
        }
        inner.members(out, entity, level + 1);
        out.push(b'}');
    }

    /// One compacted name.
    pub(super) fn name(&self, out: &mut Vec<u8>, iri: &Iri) {
        let compact = self.context.compact(iri);
        // The member form is the quoted name and a colon.
        out.extend_from_slice(compact.member.strip_suffix(b":").unwrap_or(&compact.member));
    }

    /// Compacted names: a string for one, an array for several.
    pub(super) fn names(&self, out: &mut Vec<u8>, iris: &[Iri]) {
        match iris {
            [iri] => self.name(out, iri),
            iris => self.array_of_names(out, iris),
        }
    }

    pub(super) fn array_of_names(&self, out: &mut Vec<u8>, iris: &[Iri]) {
        out.push(b'[');
        for (i, iri) in iris.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            self.name(out, iri);
        }
        out.push(b']');
    }
}

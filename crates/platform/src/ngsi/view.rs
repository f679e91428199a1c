//! Which members of an entity an answer shows, and how (ETSI GS CIM 009, 4.5.3, 4.5.4, 4.15, 4.21).

use model::{Attribute, Entity, Iri};

use super::NgsiError;
use crate::context::Context;

/// The deepest nesting of a projection (`a{b{c}}`).
const PROJECTION_DEPTH_MAX: usize = 8;

/// How attributes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// With type, value and metadata.
    #[default]
    Normalized,
    /// As normalised, without what can be inferred.
    Concise,
    /// Only values (`keyValues`).
    Simplified,
}

/// How an answer shows entities. The default shows everything, normalised, without system attributes.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// How attributes are written.
    pub form: Form,
    /// Whether `createdAt` and `modifiedAt` are shown.
    pub sys_attrs: bool,
    /// The language that language properties are reduced to: a tag, or `*` for any.
    pub lang: Option<String>,
    /// Only these attributes are shown (the `attrs` parameter); all when empty.
    pub attrs: Vec<Iri>,
    /// Only these members are shown.
    pub pick: Option<Projection>,
    /// These members are not shown.
    pub omit: Option<Projection>,
    /// Only instances with these dataset ids are shown (`None` is the default instance); all when empty.
    pub dataset_ids: Vec<Option<String>>,
    /// The geometry of GeoJSON features; `location` when `None`.
    pub geometry_property: Option<Iri>,
}

/// A member of an entity that can be picked or omitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// `id`.
    Id,
    /// `type`.
    Type,
    /// `scope`.
    Scope,
    /// An attribute.
    Attribute(Iri),
}

/// A list of members; a relationship may say which members of the linked entity are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection(pub Vec<(Member, Option<Projection>)>);

impl Projection {
    /// Reads `id,name,isIn{id,name}`.
    ///
    /// # Errors
    /// `BadRequestData` when the braces do not match, or a name is not one.
    pub fn parse(text: &str, context: &Context) -> Result<Self, NgsiError> {
        let (projection, rest) = Self::parse_members(text, context, 0)?;
        if rest.is_empty() { Ok(projection) } else { Err(refuse(text)) }
    }

    fn parse_members<'t>(text: &'t str, context: &Context, depth: usize) -> Result<(Self, &'t str), NgsiError> {
        if depth > PROJECTION_DEPTH_MAX {
            return Err(NgsiError::bad_data("pick/omit: nested too deeply"));
        }
        let (mut members, mut rest) = (Vec::new(), text);
        loop {
            let end = rest.find([',', '|', '{', '}']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let member = match name.trim() {
                "" => return Err(refuse(text)),
                "id" => Member::Id,
                "type" => Member::Type,
                "scope" => Member::Scope,
                name => Member::Attribute(context.expand(name)?),
            };
            rest = after;
            let mut linked = None;
            if let Some(inner) = rest.strip_prefix('{') {
                let (projection, after) = Self::parse_members(inner, context, depth + 1)?;
                rest = after.strip_prefix('}').ok_or_else(|| refuse(text))?;
                linked = Some(projection);
            }
            members.push((member, linked));
            match rest.strip_prefix([',', '|']) {
                Some(after) => rest = after,
                None => return Ok((Self(members), rest)),
            }
        }
    }

    /// Whether some member is in both, as a whole.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|(member, linked)| linked.is_none() && other.find(member).is_some_and(|(_, l)| l.is_none()))
    }

    fn find(&self, member: &Member) -> Option<&(Member, Option<Self>)> {
        self.0.iter().find(|(known, _)| known == member)
    }
}

fn refuse(text: &str) -> NgsiError {
    NgsiError::bad_data(format!("pick/omit: \"{text}\" is not a list of names such as id,name,isIn{{id,name}}"))
}

impl View {
    /// Whether a member other than an attribute is shown.
    #[must_use]
    pub fn shows(&self, member: &Member) -> bool {
        self.pick.as_ref().is_none_or(|pick| pick.find(member).is_some())
            && !self.omit.as_ref().is_some_and(|omit| omit.find(member).is_some_and(|(_, linked)| linked.is_none()))
    }

    /// Whether an attribute is shown.
    #[must_use]
    pub fn shows_attribute(&self, name: &Iri) -> bool {
        if self.pick.is_none() && self.omit.is_none() {
            return self.attrs.is_empty() || self.attrs.contains(name);
        }
        (self.attrs.is_empty() || self.attrs.contains(name)) && self.shows(&Member::Attribute(name.clone()))
    }

    /// Whether an instance is shown.
    #[must_use]
    pub fn shows_instance(&self, attribute: &Attribute) -> bool {
        self.dataset_ids.is_empty() || self.dataset_ids.contains(&attribute.dataset_id)
    }

    /// Whether an entity has at least one of the attributes that were asked for (`attrs`).
    #[must_use]
    pub fn finds_something(&self, entity: &Entity) -> bool {
        self.attrs.is_empty() || self.attrs.iter().any(|name| entity.attributes.contains_key(name))
    }

    /// Whether any member of an entity is shown.
    #[must_use]
    pub fn shows_anything(&self, entity: &Entity) -> bool {
        self.shows(&Member::Id)
            || self.shows(&Member::Type)
            || (!entity.scopes.is_empty() && self.shows(&Member::Scope))
            || entity.attributes.keys().any(|name| self.shows_attribute(name))
    }

    /// The view of an entity that a relationship links to.
    #[must_use]
    pub fn of_linked(&self, relationship: &Iri) -> Self {
        let member = Member::Attribute(relationship.clone());
        let inner = |projection: &Option<Projection>| projection.as_ref()?.find(&member)?.1.clone();
        Self { attrs: vec![], pick: inner(&self.pick), omit: inner(&self.omit), ..self.clone() }
    }
}

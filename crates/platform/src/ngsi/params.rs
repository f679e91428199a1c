//! Query parameters: each known by name, each read once (ETSI GS CIM 009, 6.3.20 and 6.4.3.2).

use model::EntityId;
use serde_json::Value;
use url::form_urlencoded;

use super::{ErrorKind, Form, NgsiError, Projection, View};
use crate::{
    context::Context,
    query::{GeoQ, OrderBy, Q, ScopeQ, TypeSelector},
};

/// The most entities in one answer.
pub const LIMIT_MAX: usize = 1_000;
/// How many entities an answer has when the request does not say.
const LIMIT_DEFAULT: usize = 100;
/// The deepest following of links.
const JOIN_LEVEL_MAX: usize = 5;

/// The values that `options` may list.
const OPTIONS: &[&str] = &[
    "keyValues",
    "simplified",
    "concise",
    "normalized",
    "sysAttrs",
    "noOverwrite",
    "update",
    "replace",
    "count",
    "temporalValues",
    "aggregatedValues",
];

/// Parameters that describe how entities are shown.
pub const VIEW: &[&str] = &[
    "attrs",
    "containedBy",
    "datasetId",
    "doNotCompact",
    "entityMap",
    "format",
    "geometryProperty",
    "join",
    "joinLevel",
    "lang",
    "local",
    "omit",
    "options",
    "pick",
    "via",
];

/// Parameters that describe which entities are meant.
pub const QUERY: &[&str] = &[
    "collation",
    "coordinates",
    "count",
    "csf",
    "expandValues",
    "geometry",
    "geoproperty",
    "georel",
    "id",
    "idPattern",
    "jsonKeys",
    "limit",
    "offset",
    "orderBy",
    "q",
    "scopeQ",
    "splitEntities",
    "type",
];

/// How linked entities are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Inside the relationship.
    Inline,
    /// Beside the entity.
    Flat,
}

/// The most parameters of one request.
const PARAMETERS_MAX: usize = 64;

/// The query parameters of one request, in order.
#[derive(Clone, Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string.
    ///
    /// # Errors
    /// Too many parameters, or one that is given twice.
    pub fn parse(query: &str) -> Result<Self, NgsiError> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        if pairs.len() > PARAMETERS_MAX {
            return Err(invalid(format!("more than {PARAMETERS_MAX} parameters are given")));
        }
        for (i, (name, _)) in pairs.iter().enumerate() {
            if pairs[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(invalid(format!("the parameter {name} is given twice")));
            }
        }
        Ok(Self(pairs))
    }

    /// Refuses parameters that the operation does not have.
    ///
    /// # Errors
    /// One that it does not have.
    pub fn check_known(&self, known: &[&[&str]]) -> Result<(), NgsiError> {
        let unknown = self.0.iter().find(|(name, _)| !known.iter().any(|names| names.contains(&name.as_str())));
        match unknown {
            Some((name, _)) => Err(invalid(format!("there is no parameter {name} here"))),
            None => Ok(()),
        }
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Puts a parameter in, for queries whose parts come in the body.
    pub fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value));
    }

    /// The same parameters as a query string, with another offset.
    #[must_use]
    pub fn with_offset(&self, offset: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.0.iter().filter(|(name, _)| name != "offset") {
            query.append_pair(name, value);
        }
        query.append_pair("offset", &offset.to_string()).finish()
    }

    /// A list separated by commas; empty when the parameter is not given.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.get(name).into_iter().flat_map(|text| text.split(',')).filter(|item| !item.is_empty())
    }

    /// A parameter that is true or false; false when it is not given.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(&self, name: &str) -> Result<bool, NgsiError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(NgsiError::bad_data(format!("{name}: \"{other}\" is neither true nor false"))),
        }
    }

    fn number(&self, name: &str) -> Result<Option<usize>, NgsiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let refuse = |_| NgsiError::bad_data(format!("{name}: \"{text}\" is not a whole number from 0"));
        text.parse().map(Some).map_err(refuse)
    }

    /// Whether `options` lists a value.
    #[must_use]
    pub fn option(&self, name: &str) -> bool {
        self.list("options").any(|option| option == name)
    }

    /// Refuses options that do not exist.
    ///
    /// # Errors
    /// One does not exist.
    pub fn check_options(&self) -> Result<(), NgsiError> {
        match self.list("options").find(|option| !OPTIONS.contains(option)) {
            Some(option) => Err(invalid(format!("options: there is no option {option}"))),
            None => Ok(()),
        }
    }

    /// `limit` and `offset`; `count` is needed for a limit of 0.
    ///
    /// # Errors
    /// No whole numbers, or too high a limit.
    pub fn page(&self) -> Result<(usize, usize), NgsiError> {
        let (limit, offset) = (self.number("limit")?.unwrap_or(LIMIT_DEFAULT), self.number("offset")?.unwrap_or(0));
        if limit > LIMIT_MAX {
            let detail = format!("limit: at most {LIMIT_MAX} entities are given at once; use offset for more");
            return Err(NgsiError::new(ErrorKind::TooManyResults, detail));
        }
        if limit == 0 && !self.counts()? {
            return Err(NgsiError::bad_data("limit: 0 makes sense with count=true only"));
        }
        Ok((limit, offset))
    }

    /// Whether the number of all that is found is asked for.
    ///
    /// # Errors
    /// `count` is neither true nor false.
    pub fn counts(&self) -> Result<bool, NgsiError> {
        Ok(self.flag("count")? || self.option("count"))
    }

    /// The representation asked for.
    ///
    /// # Errors
    /// There is no such format or option.
    pub fn form(&self) -> Result<Form, NgsiError> {
        self.check_options()?;
        let named = match self.get("format") {
            Some(name) => Some(name),
            None => self.list("options").find(|o| matches!(*o, "keyValues" | "simplified" | "concise" | "normalized")),
        };
        match named {
            None | Some("normalized") => Ok(Form::Normalized),
            Some("keyValues" | "simplified") => Ok(Form::Simplified),
            Some("concise") => Ok(Form::Concise),
            Some(other) => Err(invalid(format!("format: there is no format {other}"))),
        }
    }

    /// How entities are shown.
    ///
    /// # Errors
    /// Parameters that cannot be read, or that do not go together.
    pub fn view(&self, context: &Context) -> Result<View, NgsiError> {
        let projection = |name| self.get(name).map(|text| Projection::parse(text, context)).transpose();
        let (pick, omit) = (projection("pick")?, projection("omit")?);
        if self.get("attrs").is_some() && (pick.is_some() || omit.is_some()) {
            return Err(NgsiError::bad_data("attrs does not go with pick or omit; use pick alone"));
        }
        if pick.as_ref().zip(omit.as_ref()).is_some_and(|(pick, omit)| pick.overlaps(omit)) {
            return Err(NgsiError::bad_data("pick and omit name the same member"));
        }
        if self.list("attrs").any(|name| matches!(name, "id" | "type" | "@id" | "@type" | "@context")) {
            return Err(NgsiError::bad_data("attrs: id and type are not attributes; use pick"));
        }
        let dataset_ids = self.list("datasetId").map(|id| (id != "@none").then(|| id.to_owned())).collect();
        Ok(View {
            form: self.form()?,
            sys_attrs: self.option("sysAttrs"),
            lang: self.get("lang").map(str::to_owned),
            attrs: self.list("attrs").map(|name| context.expand(name)).collect::<Result<_, _>>()?,
            pick,
            omit,
            dataset_ids,
            geometry_property: self.get("geometryProperty").map(|name| context.expand(name)).transpose()?,
        })
    }

    /// How linked entities are shown, and how many links deep.
    ///
    /// # Errors
    /// There is no such way, or it is too deep.
    pub fn join(&self) -> Result<Option<(Join, usize)>, NgsiError> {
        let level = self.number("joinLevel")?.unwrap_or(1);
        if level == 0 || level > JOIN_LEVEL_MAX {
            return Err(NgsiError::bad_data(format!("joinLevel: give 1 to {JOIN_LEVEL_MAX}")));
        }
        match self.get("join") {
            None | Some("@none") => Ok(None),
            Some("inline") => Ok(Some((Join::Inline, level))),
            Some("flat") => Ok(Some((Join::Flat, level))),
            Some(other) => Err(NgsiError::bad_data(format!("join: \"{other}\" is not flat, inline or @none"))),
        }
    }

    /// The entities named.
    ///
    /// # Errors
    /// One is no id.
    pub fn ids(&self) -> Result<Vec<EntityId>, NgsiError> {
        self.list("id").map(|id| EntityId::parse(id).map_err(NgsiError::from)).collect()
    }

    /// The types asked for; `None` is any.
    ///
    /// # Errors
    /// No selector of types.
    pub fn types(&self, context: &Context) -> Result<Option<TypeSelector>, NgsiError> {
        match self.get("type") {
            // All types: as if it were not given, but enough for a query to be allowed.
            None | Some("*") => Ok(None),
            Some(text) => TypeSelector::parse(text, context).map(Some),
        }
    }

    /// The filter.
    ///
    /// # Errors
    /// It does not follow the language of queries.
    pub fn q(&self, context: &Context) -> Result<Option<Q>, NgsiError> {
        self.get("q").map(|text| Q::parse(text, context)).transpose()
    }

    /// The order asked for.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn order_by(&self, context: &Context) -> Result<Option<OrderBy>, NgsiError> {
        self.get("orderBy").map(|text| OrderBy::parse(text, context)).transpose()
    }

    /// The scopes asked for.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn scope_q(&self) -> Result<Option<ScopeQ>, NgsiError> {
        self.get("scopeQ").map(ScopeQ::parse).transpose()
    }

    /// The place asked for.
    ///
    /// # Errors
    /// A part is missing or cannot be read.
    pub fn geo_q(&self, context: &Context) -> Result<Option<GeoQ>, NgsiError> {
        let parts = (self.get("georel"), self.get("geometry"), self.get("coordinates"));
        match parts {
            (None, None, None) => Ok(None),
            (Some(georel), Some(geometry), Some(coordinates)) => {
                let coordinates = Value::String(coordinates.to_owned());
                GeoQ::parse(georel, geometry, &coordinates, self.get("geoproperty"), context).map(Some)
            }
            _ => Err(NgsiError::bad_data("a geo-query needs georel, geometry and coordinates")),
        }
    }
}

/// A parameter that is not right.
#[must_use]
pub fn invalid(detail: impl Into<String>) -> NgsiError {
    NgsiError::new(ErrorKind::InvalidRequest, detail)
}

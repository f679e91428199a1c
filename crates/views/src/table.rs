//! The table behind a map: the same things and the same values as the features, in rows that can be sorted and
//! searched.

use std::cmp::Ordering;

use model::{Entity, Iri, Problem, Timestamp};
use serde::Serialize;
use serde_json::Value;
use store::EntitySelect;
use utoipa::ToSchema;

use crate::{
    Computed, Feature, FeaturesQuery, LayerConfig, Text, ViewError, Viewpoint, as_text,
    features::{FEATURES_MAX, features, picture_of},
    shapes::ValueShape,
    shown, title_of, unit_symbol,
};

/// The most rows of one page.
pub const ROWS_MAX: usize = 1_000;

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct TableQuery {
    /// How many rows to leave out.
    pub offset: usize,
    /// How many rows at most; 100 when `None`.
    pub limit: Option<usize>,
    /// A column to sort by, with `-` before it for the largest first; by title when `None`.
    pub sort: Option<String>,
    /// Only rows in which some cell holds this text.
    pub search: Option<String>,
    /// The picture at this moment instead of now.
    pub at: Option<Timestamp>,
    /// The language of titles.
    pub language: String,
}

/// A page of rows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Table {
    /// How many rows there are in all.
    pub total: usize,
    /// The columns, in the order of the cells.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TableColumn)]
pub struct Column {
    /// The name to sort by.
    pub name: String,
    /// What a person reads.
    pub label: Text,
    /// The symbol of the unit.
    pub unit: String,
}

/// A row: one thing.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TableRow)]
pub struct Row {
    /// The identifier of the thing.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// The cells; `null` is "no data".
    #[schema(value_type = Vec<ValueShape>)]
    pub values: Vec<Value>,
}

/// A page of the table of a layer.
///
/// # Errors
/// The store's. A layer that the reader may not see is missing; a column that does not exist is refused.
pub fn table(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &TableQuery,
    computed: &Computed,
) -> Result<Table, ViewError> {
    let columns = columns_of(layer);
    let order = order_of(query.sort.as_deref(), &columns)?;
    view.check(layer)?;
    if view.count(&layer.type_iri())? > FEATURES_MAX as u64 {
        return large(view, layer, query, columns, order);
    }
    let asked = FeaturesQuery { at: query.at, bbox: None, limit: None, language: query.language.clone() };
    let collection = features(view, layer, &asked, computed)?;
    let mut rows: Vec<Row> = collection.features.iter().map(|f| row_of(f, &columns)).collect();
    if let Some(search) = query.wanted() {
        rows.retain(|r| row_holds(r, &search));
    }
    rows.sort_by(|a, b| compare(a, b, order));
    let total = rows.len();
    let rows = rows.into_iter().skip(query.offset).take(query.rows_max()).collect();
    Ok(Table { total, columns, rows })
}

impl TableQuery {
    fn rows_max(&self) -> usize {
        self.limit.unwrap_or(100).min(ROWS_MAX)
    }

    fn wanted(&self) -> Option<String> {
        self.search.as_deref().map(str::to_lowercase).filter(|s| !s.is_empty())
    }
}

fn row_of(feature: &Feature, columns: &[Column]) -> Row {
    Row {
        id: feature.id.to_string(),
        title: feature.properties.get("title").and_then(as_text).unwrap_or_default(),
        values: columns.iter().map(|c| feature.properties.get(&c.name).cloned().unwrap_or_default()).collect(),
    }
}

fn row_holds(row: &Row, search: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(search);
    holds(&row.title) || row.values.iter().filter_map(as_text).any(|cell| holds(&cell))
}

/// A page of a layer with more things than one picture holds: only the cell that is sorted by is kept of each thing
/// until the page is known. Without an order the things stand by identifier, so that no thing need be read twice.
fn large(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &TableQuery,
    columns: Vec<Column>,
    order: SortOrder,
) -> Result<Table, ViewError> {
    let select = EntitySelect::Type(layer.type_iri());
    let (search, limit) = (query.wanted(), query.rows_max());
    let mut total = usize::try_from(view.count(&layer.type_iri())?).unwrap_or(usize::MAX);
    let mut page: Vec<Entity> = vec![];
    if search.is_none() && query.sort.is_none() {
        for id in view.snapshot.entity_ids(view.tenant, &select, None).skip(query.offset).take(limit) {
            page.extend(view.entity(&id?).ok().map(|stored| stored.value.clone()));
        }
    } else {
        let cell = order.column.and_then(|c| columns.get(c)).map(|c| crate::expand(&c.name));
        let kept = cell.as_ref().map(|iri| vec![iri.clone()]).unwrap_or_default();
        let mut keys: Vec<Row> = vec![];
        view.each(&select, |entity| {
            let value = |iri: &Iri| entity.attribute(iri.as_str()).map(shown).unwrap_or_default();
            let title = title_of(Some(layer), entity, &query.language);
            let all = || layer.attributes.iter().map(|a| value(&a.iri())).collect();
            let id = entity.id.to_string();
            let full = |values| Row { id: id.clone(), title: title.clone(), values };
            if search.as_ref().is_none_or(|text| row_holds(&full(all()), text)) {
                keys.push(full(kept.iter().map(value).collect()));
            }
            true
        })?;
        let order = SortOrder { column: order.column.map(|_| 0), ..order };
        keys.sort_by(|a, b| compare(a, b, order));
        total = keys.len();
        for key in keys.iter().skip(query.offset).take(limit) {
            let id = model::EntityId::parse(&key.id)?;
            page.extend(view.entity(&id).ok().map(|stored| stored.value.clone()));
        }
    }
    let features = picture_of(view, layer, &page, query.at, &query.language, &Computed::default())?;
    let rows = features.iter().map(|f| row_of(f, &columns)).collect();
    Ok(Table { total, columns, rows })
}

fn columns_of(layer: &LayerConfig) -> Vec<Column> {
    let attributes = layer.attributes.iter().map(|a| Column {
        name: a.name.clone(),
        label: a.label.clone(),
        unit: unit_symbol(None, Some(a)).unwrap_or_default(),
    });
    let computed =
        layer.indicators.iter().map(|i| Column { name: i.name.clone(), label: i.label.clone(), unit: i.unit.clone() });
    let observed = Column {
        name: "observedAt".to_owned(),
        label: Text { nl: "Gemeten om".to_owned(), en: "Observed at".to_owned() },
        unit: String::new(),
    };
    let live = layer.live.then_some(observed);
    attributes.chain(computed).chain(live).collect()
}

/// What rows are sorted by.
#[derive(Clone, Copy)]
struct SortOrder {
    /// The place of the column; `None` is the title.
    column: Option<usize>,
    descending: bool,
}

fn order_of(sort: Option<&str>, columns: &[Column]) -> Result<SortOrder, Problem> {
    let Some(sort) = sort.filter(|s| !s.is_empty()) else { return Ok(SortOrder { column: None, descending: false }) };
    let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
    if name == "title" {
        return Ok(SortOrder { column: None, descending });
    }
    match columns.iter().position(|c| c.name == name) {
        Some(column) => Ok(SortOrder { column: Some(column), descending }),
        None => {
            let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
            let detail = format!("there is no column \"{}\"", name.chars().take(80).collect::<String>());
            Err(Problem::new("sort", detail, format!("use title, {}", names.join(", "))))
        }
    }
}

/// Rows without a value come last in either direction; equal rows stand by title, then identifier.
fn compare(a: &Row, b: &Row, order: SortOrder) -> Ordering {
    let turned = |ordering: Ordering| if order.descending { ordering.reverse() } else { ordering };
    let by_title = || a.title.to_lowercase().cmp(&b.title.to_lowercase());
    let cells = order.column.map(|c| (a.values.get(c), b.values.get(c)));
    let first = match cells {
        None => turned(by_title()),
        Some((Some(a), Some(b))) => match (a.is_null(), b.is_null()) {
            (false, false) => turned(compare_values(a, b)),
            (a_empty, b_empty) => a_empty.cmp(&b_empty),
        },
        Some(_) => Ordering::Equal,
    };
    first.then_with(by_title).then_with(|| a.id.cmp(&b.id))
}

fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => as_text(a).unwrap_or_default().to_lowercase().cmp(&as_text(b).unwrap_or_default().to_lowercase()),
    }
}

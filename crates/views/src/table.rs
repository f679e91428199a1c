//! The table behind a map: the same things and the same values as the features, in rows that can be sorted and
//! searched.

use std::{cmp::Reverse, sync::Arc};

use model::{Entity, EntityId, Iri, Problem, Timestamp};
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
    table_with(view, layer, query, computed, &|make| make())
}

/// The identifiers of the things of a large layer that are asked for, in their order.
type Order = Arc<[EntityId]>;
/// Gives an order: the remembered one, or what the maker makes.
pub(crate) type Recall<'a> = dyn Fn(&dyn Fn() -> Result<Order, ViewError>) -> Result<Order, ViewError> + 'a;

/// As [`table`], with `recall` asked for the order of a large layer.
pub(crate) fn table_with(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &TableQuery,
    computed: &Computed,
    recall: &Recall<'_>,
) -> Result<Table, ViewError> {
    let columns = columns_of(layer);
    let order = order_of(query.sort.as_deref(), &columns)?;
    view.check(layer)?;
    if view.count(&layer.type_iri())? > FEATURES_MAX as u64 {
        return large(view, layer, query, columns, order, recall);
    }
    let asked = FeaturesQuery { at: query.at, bbox: None, limit: None, language: query.language.clone() };
    let collection = features(view, layer, &asked, computed)?;
    let mut rows: Vec<Row> = collection.features.iter().map(|f| row_of(f, &columns)).collect();
    if let Some(search) = query.wanted() {
        rows.retain(|r| row_holds(r, &search));
    }
    rows.sort_by_cached_key(|row| {
        let cell = order.column.map(|c| row.values.get(c).unwrap_or(&Value::Null));
        (sort_key(cell, &row.title, order), row.id.clone())
    });
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

/// A page of a layer with more things than one picture holds. Without an order the things stand by identifier, so that
/// only those of the page need be read.
fn large(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &TableQuery,
    columns: Vec<Column>,
    order: SortOrder,
    recall: &Recall<'_>,
) -> Result<Table, ViewError> {
    let (search, limit) = (query.wanted(), query.rows_max());
    let select = EntitySelect::Type(layer.type_iri());
    let (total, page) = if search.is_none() && query.sort.is_none() {
        let ids = view.snapshot.entity_ids(view.tenant, &select, None).skip(query.offset).take(limit);
        let total = usize::try_from(view.count(&layer.type_iri())?).unwrap_or(usize::MAX);
        (total, ids.collect::<Result<Vec<_>, _>>()?)
    } else {
        let column = order.column.and_then(|c| columns.get(c)).map(|c| crate::expand(&c.name));
        let ordered = recall(&|| ordered(view, layer, query, column.as_ref(), order))?;
        (ordered.len(), ordered.iter().skip(query.offset).take(limit).cloned().collect())
    };
    let things: Vec<Entity> =
        page.iter().filter_map(|id| view.entity(id).ok()).map(|stored| stored.value.clone()).collect();
    let features = picture_of(view, layer, &things, query.at, &query.language, &Computed::default())?;
    let rows = features.iter().map(|f| row_of(f, &columns)).collect();
    Ok(Table { total, columns, rows })
}

/// The things that are asked for, in their order: all things are read, but only what they are sorted by is kept.
fn ordered(
    view: &Viewpoint<'_>,
    layer: &LayerConfig,
    query: &TableQuery,
    column: Option<&Iri>,
    order: SortOrder,
) -> Result<Order, ViewError> {
    let search = query.wanted();
    let mut keys: Vec<((Turned, String), EntityId)> = vec![];
    view.each(&EntitySelect::Type(layer.type_iri()), |entity| {
        let value = |iri: &Iri| entity.attribute(iri.as_str()).map(shown).unwrap_or_default();
        let title = title_of(Some(layer), entity, &query.language);
        let holds = |text: &String| {
            let values = layer.attributes.iter().map(|a| value(&a.iri())).collect();
            row_holds(&Row { id: String::new(), title: title.clone(), values }, text)
        };
        if search.as_ref().is_none_or(holds) {
            keys.push((sort_key(column.map(value).as_ref(), &title, order), entity.id.clone()));
        }
        true
    })?;
    keys.sort_unstable();
    Ok(keys.into_iter().map(|(_, id)| id).collect())
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

/// A cell that rows are sorted by: numbers before texts, and case does not count.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Number(i64),
    Text(String),
}

/// A cell in its direction. Rows without a value come last in either.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Turned {
    Up(Cell),
    Down(Reverse<Cell>),
    Nothing,
}

/// What a row is sorted by, made once for each row: the cell, and among equal cells the title. `value` is that of the
/// column, `None` where rows are sorted by title.
fn sort_key(value: Option<&Value>, title: &str, order: SortOrder) -> (Turned, String) {
    let title = title.to_lowercase();
    let cell = match value {
        None => Cell::Text(title.clone()),
        Some(Value::Null) => return (Turned::Nothing, title),
        Some(value) => match value.as_f64() {
            Some(number) => Cell::Number(sortable(number)),
            None => Cell::Text(as_text(value).unwrap_or_default().to_lowercase()),
        },
    };
    (if order.descending { Turned::Down(Reverse(cell)) } else { Turned::Up(cell) }, title)
}

/// A whole number that sorts as the number does (the total order of IEEE 754).
fn sortable(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sorted(values: &Value, descending: bool) -> Value {
        let mut cells = values.as_array().unwrap().clone();
        cells.sort_by_key(|cell| sort_key(Some(cell), "", SortOrder { column: Some(0), descending }));
        Value::Array(cells)
    }

    #[test]
    fn numbers_sort_as_numbers_texts_without_case_and_nothing_comes_last() {
        let cells = json!(["b", 10, null, -2.5, "A", 9, 0, -10]);
        assert_eq!(sorted(&cells, false), json!([-10, -2.5, 0, 9, 10, "A", "b", null]));
        assert_eq!(sorted(&cells, true), json!(["b", "A", 10, 9, 0, -2.5, -10, null]));
    }
}

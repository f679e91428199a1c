//! The names inside a type selection such as `(Building|Tower);Public`, one by one.

use model::Iri;

use platform::{context::Context, ngsi::NgsiError};

/// What stands between names.
fn is_separator(c: char) -> bool {
    matches!(c, '(' | ')' | '|' | ',' | ';') || c.is_whitespace()
}

/// The selection with each name expanded.
///
/// # Errors
/// `BadRequestData` when something in it is not a name.
pub fn expand_types(selection: &str, context: &Context) -> Result<String, NgsiError> {
    map_names(selection, |name| context.expand(name).map(|iri| iri.as_str().to_owned()))
}

/// The selection with each name compacted.
#[must_use]
pub fn compact_types(selection: &str, context: &Context) -> String {
    let compacted: Result<_, std::convert::Infallible> =
        map_names(selection, |name| Ok(context.compact(&Iri::from(name)).text.to_string()));
    compacted.unwrap_or_else(|never| match never {})
}

/// The names in a selection, each as often as it occurs.
pub fn names_in(selection: &str) -> impl Iterator<Item = &str> {
    selection.split(is_separator).filter(|name| !name.is_empty())
}

fn map_names<E>(selection: &str, mut map: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut mapped = String::with_capacity(selection.len());
    let mut rest = selection;
    while !rest.is_empty() {
        let start = rest.find(|c| !is_separator(c)).unwrap_or(rest.len());
        let (separators, from_name) = rest.split_at(start);
        let end = from_name.find(is_separator).unwrap_or(from_name.len());
        let (name, after) = from_name.split_at(end);
        mapped.push_str(separators);
        if !name.is_empty() {
            mapped.push_str(&map(name)?);
        }
        rest = after;
    }
    Ok(mapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_expanded_and_compacted_where_they_stand() {
        let context = Context::core();
        let expanded = expand_types("(Building|Tower);https://example.org/Public", &context).unwrap();
        let namespace = model::DEFAULT_CONTEXT;
        assert_eq!(expanded, format!("({namespace}Building|{namespace}Tower);https://example.org/Public"));
        assert_eq!(compact_types(&expanded, &context), "(Building|Tower);https://example.org/Public");
    }

    #[test]
    fn the_names_come_out_one_by_one() {
        assert_eq!(names_in("(A|B);C,D").collect::<Vec<_>>(), ["A", "B", "C", "D"]);
        assert_eq!(names_in("()").count(), 0);
    }
}

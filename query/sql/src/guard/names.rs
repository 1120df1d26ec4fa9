//! Names that are not there, and those that are.

use super::place::{Places, folded};
use crate::failure::failed;
use crate::functions;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use engine::sql::{Catalog, Failure, Fault};
use schemas::near;

/// Names that a failure lists.
const LISTED: usize = 24;
/// Functions that a failure lists when none is near.
const USUAL: [&str; 9] = ["avg", "count", "min", "max", "sum", "round", "coalesce", "date_trunc", "time_bucket"];
/// Bytes of a name for which a near one is looked for.
const LONGEST: usize = 64;

/// The name of a table without its schema; the error for anything but `name` and `public.name`.
pub(crate) fn table_name(name: &ObjectName) -> Option<String> {
    let plain = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(ident) => Some(folded(ident)),
        ObjectNamePart::Function(_) => None,
    };
    match name.0.as_slice() {
        [table] => plain(table),
        [schema, table] => plain(schema).filter(|schema| schema == "public").and_then(|_| plain(table)),
        _ => None,
    }
}

/// The one part of a function's name.
pub(crate) fn function_name(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(ident),
        _ => None,
    }
}

/// The failure of a table that is not there.
pub(crate) fn no_table(name: &ObjectName, at: &str, catalog: &Catalog) -> Failure {
    let known = catalog.tables.iter().map(|table| table.name.as_str());
    let accepted = near_first(&name.to_string().to_lowercase(), known);
    failed(Fault::NoTable, format!("there is no table {name}{at}"), accepted.iter().map(String::as_str))
}

/// The failure of a function that may not be called.
pub(crate) fn no_function(name: &str, at: &str) -> Failure {
    let near =
        Some(name).filter(|name| name.len() <= LONGEST).and_then(|name| near::nearest(name, functions::allowed()));
    let accepted = near.map_or_else(|| USUAL.to_vec(), |near| vec![near]);
    let message = format!("there is no function {name} that may be called{at}");
    failed(Fault::NoFunction, message, accepted)
}

/// The failure of a column that is not there; `known` are those that are.
pub(crate) fn no_column<'a>(name: &str, places: &Places, known: impl Iterator<Item = &'a str>) -> Failure {
    let accepted = near_first(name, known);
    let mut message = format!("there is no column \"{name}\"{}", places.of(name));
    if accepted.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        message.push_str(": in double quotes a name is taken as it is written, without them in lower case");
    }
    failed(Fault::NoColumn, message, accepted.iter().map(String::as_str))
}

/// Names for a list of what is accepted, the one that was probably meant first.
pub(crate) fn near_first<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut known: Vec<&str> = known.collect();
    if name.len() <= LONGEST
        && let Some(near) = near::nearest(name, known.iter().copied())
    {
        let place = known.iter().position(|known| *known == near).unwrap_or_default();
        known[..=place].rotate_right(1);
    }
    known.truncate(LISTED);
    known.into_iter().map(str::to_owned).collect()
}

//! Which words can name datasets, fields and attributes.

/// Bytes of a name at most.
const LONGEST: usize = 40;

/// Columns and parameters every answer may have beside the fields, and keys of long mappings.
const RESERVED: [&str; 28] = [
    "sensor",
    "sensors",
    "start",
    "end",
    "time",
    "n",
    "coverage",
    "day",
    "dataset",
    "datasets",
    "lon",
    "lat",
    "place",
    "id",
    "by",
    "ignore",
    "since",
    "retired",
    "registered",
    "bucket",
    "tier",
    "from",
    "to",
    "none",
    "position",
    "meta",
    "data",
    "fields",
];

/// What stands behind a field's name in a column of an answer.
const FUNCTIONS: [&str; 11] =
    ["n", "sum", "mean", "min", "max", "last", "rate", "increase", "share", "coverage", "mean_of_sensors"];

fn check(name: &str) -> Result<String, String> {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if letters && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= LONGEST {
        return Ok(name.into());
    }
    Err(format!(
        "write small letters, digits and \"_\", a letter first, at most {LONGEST} characters, such as \"air_quality\""
    ))
}

/// A dataset's id. `_15m`, `_1h`, `_1d` end the names of its tiers' tables.
pub(super) fn dataset(name: &str) -> Result<String, String> {
    let id = check(name)?;
    if ["sensors", "datasets", "sql"].contains(&name) {
        return Err(format!("\"{name}\" is a table or path of every Lamppost: take another word"));
    }
    match ["_15m", "_1h", "_1d"].iter().find(|end| name.ends_with(*end)) {
        Some(end) => Err(format!("\"{end}\" at the end names a tier's table: take another word")),
        None => Ok(id),
    }
}

/// A field's or an attribute's name.
pub(super) fn column(name: &str) -> Result<String, String> {
    let name = check(name)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(format!("\"{name}\" is a column of every answer: take another word, such as \"{name}_value\""));
    }
    Ok(name)
}

/// The field and function a field's name would be mistaken for: `co2_mean` beside `co2`.
pub(super) fn mistaken<'a>(name: &'a str, fields: &[&str]) -> Option<(&'a str, &'a str)> {
    let cuts = name.match_indices('_').map(|(at, _)| (&name[..at], &name[at + 1..]));
    cuts.into_iter().find(|(field, function)| fields.contains(field) && is_function(function))
}

fn is_function(word: &str) -> bool {
    let digits = word.strip_suffix("_sketch").unwrap_or(word).strip_prefix('p');
    let quantile = digits.is_some_and(|d| (1..=2).contains(&d.len()) && d.bytes().all(|b| b.is_ascii_digit()));
    quantile || FUNCTIONS.contains(&word)
}

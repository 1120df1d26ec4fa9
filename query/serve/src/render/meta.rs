//! What stands beside the rows in JSON: how the answer was made and what it rests on.

use engine::{Meta, MetaField};
use schemas::{Time, Zone};

/// Members that do not apply are left out.
#[derive(serde::Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    widened: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tz: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field<'a>>,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    tiers: &'a [&'static str],
    /// log:position of the last change of the days read.
    #[serde(skip_serializing_if = "Option::is_none")]
    stamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete_until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dirty_days: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<&'a str>,
    rows: usize,
    /// `cursor` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
}

/// What a value column is.
#[derive(serde::Serialize)]
struct Field<'a> {
    column: &'a str,
    field: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    unit: Option<&'a str>,
    /// Of quantiles by sketch: how far off a value may be, relative to itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
}

impl Field<'_> {
    fn of(field: &MetaField) -> Field<'_> {
        Field {
            column: &field.column,
            field: &field.field,
            function: field.function.as_deref(),
            unit: field.unit.as_deref(),
            relative_error: field.by_sketch.then_some(schemas::sketch::ERROR),
        }
    }
}

/// Writes the meta of an answer of so many rows.
pub(crate) fn write(meta: &Meta, rows: usize, out: &mut Vec<u8>) {
    let utc = Zone::utc();
    let zone = meta.tz.as_ref().unwrap_or(&utc);
    let text = |time: Option<Time>| time.map(|time| zone.format(time));
    let document = Document {
        dataset: meta.dataset.as_deref(),
        from: text(meta.from),
        to: text(meta.to),
        widened: meta.bucket.as_ref().map(|_| meta.widened),
        bucket: meta.bucket.as_deref(),
        group: meta.group.as_deref(),
        tz: meta.tz.as_ref().map(Zone::name),
        fields: meta.fields.iter().map(Field::of).collect(),
        tiers: &meta.tiers,
        stamp: meta.stamp.map(|stamp| format!("{}:{}", stamp.log, stamp.position.0)),
        complete_until: text(meta.complete_until),
        dirty_days: meta.dirty_days.iter().map(ToString::to_string).collect(),
        license: meta.license.as_deref(),
        publisher: meta.publisher.as_deref(),
        rows,
        next: meta.next.as_deref(),
    };
    // Strings and numbers only: writing them into memory cannot fail.
    let _ = serde_json::to_writer(out, &document);
}

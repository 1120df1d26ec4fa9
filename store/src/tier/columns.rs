//! The columns of a tier: sensor, start of the window, then several per field, by its kind (rules 27 and 28).
//!
//! | kind | columns of `f` |
//! |---|---|
//! | gauge, count | `f_n`, `f_sum`, `f_min`, `f_max` |
//! | level | `f_n`, `f_energy` (units of [`schemas::energy`]), `f_min`, `f_max` |
//! | angle | `f_n`, `f_sin`, `f_cos` (units of [`schemas::circle`]) |
//! | cumulative | `f_n`, `f_first`, `f_first_at`, `f_last`, `f_last_at`, `f_increase` (from the first reading to the last) |
//! | state | `f_n`, `f_first_at`, `f_last`, `f_last_at`, `f_micros_<word>` (time each reading stands within the window) |
//!
//! The 1d tier has more: `f_last`, `f_last_at` of every field, so that newest values outlive raw readings, and `f_sketch`
//! ([`schemas::sketch`]) of fields with `quantiles = true`. Growth and standing time across the edge between two windows belong to
//! the later one, and follow from the last reading of the earlier and the first of the later.

use super::Tier;
use schemas::{Dataset, Field, Kind};
use std::sync::Arc;

/// What a column of a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Readings of the field; never absent.
    N,
    /// Sum of the values.
    Sum,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Value of the first reading.
    First,
    /// Its instant, in UTC microseconds.
    FirstAt,
    /// Value of the last reading.
    Last,
    /// Its instant, in UTC microseconds.
    LastAt,
    /// Growth from the first reading to the last, resets counted from zero.
    Increase,
    /// Microseconds in the state of that index.
    Micros(usize),
    /// Sum of energies.
    Energy,
    /// Sum of sines.
    Sin,
    /// Sum of cosines.
    Cos,
    /// Counts of values by bin, as bytes.
    Sketch,
}

/// A column of a tier after sensor and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in files and tables: `co2_sum`.
    pub name: Arc<str>,
    /// Index of its field in the dataset.
    pub field: usize,
    /// What it holds.
    pub part: Part,
}

/// The columns of a tier of a dataset, in the order of files; indexes into these are column numbers everywhere.
pub fn columns(dataset: &Dataset, tier: Tier) -> Vec<Column> {
    let all = dataset.fields.iter().enumerate();
    all.flat_map(|(ix, field)| parts(field, tier).into_iter().map(move |part| column(ix, field, part))).collect()
}

/// The number of a field's column, if the tier has it.
pub fn find(columns: &[Column], field: usize, part: Part) -> Option<usize> {
    columns.iter().position(|column| column.field == field && column.part == part)
}

fn parts(field: &Field, tier: Tier) -> Vec<Part> {
    let mut parts = vec![Part::N];
    match &field.kind {
        Kind::Gauge | Kind::Count => parts.extend([Part::Sum, Part::Min, Part::Max]),
        Kind::Level => parts.extend([Part::Energy, Part::Min, Part::Max]),
        Kind::Angle => parts.extend([Part::Sin, Part::Cos]),
        Kind::Cumulative => parts.extend([Part::First, Part::FirstAt, Part::Last, Part::LastAt, Part::Increase]),
        Kind::State { values, .. } => {
            parts.extend([Part::FirstAt, Part::Last, Part::LastAt]);
            parts.extend((0..values.len()).map(Part::Micros));
        }
    }
    if tier == Tier::Day {
        let more = [Part::Last, Part::LastAt].into_iter().filter(|part| !parts.contains(part)).collect::<Vec<_>>();
        parts.extend(more);
        if field.quantiles {
            parts.push(Part::Sketch);
        }
    }
    parts
}

fn column(ix: usize, field: &Field, part: Part) -> Column {
    let word = match part {
        Part::N => "n",
        Part::Sum => "sum",
        Part::Min => "min",
        Part::Max => "max",
        Part::First => "first",
        Part::FirstAt => "first_at",
        Part::Last => "last",
        Part::LastAt => "last_at",
        Part::Increase => "increase",
        Part::Energy => "energy",
        Part::Sin => "sin",
        Part::Cos => "cos",
        Part::Sketch => "sketch",
        Part::Micros(word) => {
            let word = field.state(word as i64).map_or("", |word| word);
            return Column { name: format!("{}_micros_{word}", field.name).into(), field: ix, part };
        }
    };
    Column { name: format!("{}_{word}", field.name).into(), field: ix, part }
}

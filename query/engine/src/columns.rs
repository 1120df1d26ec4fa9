//! Functions of fields: which are right for which kind, and the columns that a question's `fields` name.

use crate::{Error, MetaField};
use schemas::{Dataset, Field, Kind};

/// A function of a field over the readings of a bucket and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Mean over readings: Σ value / Σ readings; of levels the energetic, of angles the vector mean.
    Mean,
    /// Mean over sensors of each one's mean as published.
    MeanOfSensors,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Value of the newest reading; of several sensors' at the same instant, that of the first by id.
    Last,
    /// Sum of the values.
    Sum,
    /// Sum of the values per elapsed hour of the bucket.
    Rate,
    /// Growth of a meter: each reading less the one before it, also if that lies before the bucket; a smaller reading
    /// counts from zero. A reading with none before it adds nothing.
    Increase,
    /// Time in one state over time in any state; a state stands until the next reading, `hold` at most.
    Share(usize),
    /// Readings.
    N,
    /// Readings present over readings expected.
    Coverage,
    /// The value at a percentile by nearest rank, exactly or by sketch ([`crate::aggregate::quantile`]).
    Quantile {
        /// From 1 to 99.
        percent: u8,
        /// Whether from bins of values.
        sketch: bool,
    },
}

impl Function {
    /// Its name in columns; a share's is completed by its word.
    fn name(self, field: &Field) -> String {
        let name = match self {
            Function::Mean => "mean",
            Function::MeanOfSensors => "mean_of_sensors",
            Function::Min => "min",
            Function::Max => "max",
            Function::Last => "last",
            Function::Sum => "sum",
            Function::Rate => "rate",
            Function::Increase => "increase",
            Function::N => "n",
            Function::Coverage => "coverage",
            Function::Share(word) => {
                let word = field.state(word as i64).map_or("", |word| word);
                return format!("share_{word}");
            }
            Function::Quantile { percent, sketch } => return format!("p{percent}{}", if sketch { SKETCH } else { "" }),
        };
        name.to_owned()
    }

    /// Unit of its values, given the field's.
    fn unit(self, field: &Field) -> Option<String> {
        match self {
            Function::N => None,
            Function::Coverage | Function::Share(_) => Some("1".to_owned()),
            Function::Rate => Some(format!("{}/h", field.unit.code)),
            _ if matches!(field.kind, Kind::State { .. }) => None,
            _ => Some(field.unit.code.clone()),
        }
    }
}

/// A column of an answer of aggregates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Index of the field in the dataset.
    pub field: usize,
    /// What of it.
    pub function: Function,
    /// Its name: `co2_mean`.
    pub column: String,
}

impl Output {
    fn new(dataset: &Dataset, field: usize, function: Function) -> Output {
        let name = &dataset.fields[field].name;
        Output { field, function, column: format!("{name}_{}", function.name(&dataset.fields[field])) }
    }

    /// What the column is, for meta.
    pub fn meta(&self, dataset: &Dataset) -> MetaField {
        let field = &dataset.fields[self.field];
        MetaField {
            column: self.column.clone(),
            field: field.name.clone(),
            function: Some(self.function.name(field)),
            unit: self.function.unit(field),
            by_sketch: matches!(self.function, Function::Quantile { sketch: true, .. }),
        }
    }
}

/// End of the names of quantiles by sketch.
const SKETCH: &str = "_sketch";

/// The functions that are right for a field, by name, those shown by default first.
pub fn functions(field: &Field) -> Vec<String> {
    let (shown, others) = words(&field.kind);
    let names = shown.iter().chain(others).map(|&name| name.to_owned());
    let more = match &field.kind {
        Kind::State { values, .. } => values.iter().map(|word| format!("share_{word}")).collect(),
        Kind::Gauge | Kind::Count | Kind::Level if field.quantiles => {
            vec!["p1..p99".to_owned(), format!("p1{SKETCH}..p99{SKETCH}")]
        }
        Kind::Gauge | Kind::Count | Kind::Level => vec!["p1..p99".to_owned()],
        _ => Vec::new(),
    };
    names.chain(more).collect()
}

/// Functions of a kind: those shown by default, and the others. `share` stands for one column per word.
fn words(kind: &Kind) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        Kind::Gauge => (&["mean", "min", "max", "n", "coverage"], &["last", "sum", "mean_of_sensors"]),
        Kind::Count => (&["sum", "n", "coverage"], &["rate", "mean", "min", "max", "mean_of_sensors"]),
        Kind::Cumulative => (&["increase", "n", "coverage"], &["last"]),
        Kind::State { .. } => (&["last", "share", "n", "coverage"], &[]),
        Kind::Level => (&["mean", "min", "max", "n", "coverage"], &["last"]),
        Kind::Angle => (&["mean", "n", "coverage"], &["last"]),
    }
}

/// The columns that `fields` of a question name; default functions of every field when there are none.
pub fn outputs(dataset: &Dataset, asked: &[String]) -> Result<Vec<Output>, Error> {
    let mut found = Vec::new();
    if asked.is_empty() {
        (0..dataset.fields.len()).for_each(|field| defaults(dataset, field, &mut found));
    }
    for name in asked {
        match dataset.field(name) {
            Some((field, _)) => defaults(dataset, field, &mut found),
            None => named(dataset, name, &mut found)?,
        }
    }
    // The same column asked for twice is one column.
    let mut seen = hashbrown::HashSet::new();
    found.retain(|output: &Output| seen.insert((output.field, output.function)));
    Ok(found)
}

/// Adds the default functions of a field.
fn defaults(dataset: &Dataset, field: usize, found: &mut Vec<Output>) {
    for name in words(&dataset.fields[field].kind).0 {
        found.extend(parse(&dataset.fields[field], name).into_iter().map(|f| Output::new(dataset, field, f)));
    }
}

/// Adds the columns of `<field>_<function>`.
fn named(dataset: &Dataset, name: &str, found: &mut Vec<Output>) -> Result<(), Error> {
    // A field's name may itself end like another's with a function; the longest that fits is meant.
    let mut fits: Vec<(usize, &Field, &str)> = dataset
        .fields
        .iter()
        .enumerate()
        .filter_map(|(i, field)| Some((i, field, name.strip_prefix(&*field.name)?.strip_prefix('_')?)))
        .collect();
    fits.sort_by_key(|(_, field, _)| std::cmp::Reverse(field.name.len()));
    for (i, field, rest) in &fits {
        let functions = parse(field, rest);
        if !functions.is_empty() {
            found.extend(functions.into_iter().map(|f| Output::new(dataset, *i, f)));
            return Ok(());
        }
    }
    Err(match fits.first() {
        Some((_, field, rest)) => {
            let accepted: Vec<String> =
                functions(field).iter().map(|function| format!("{}_{function}", field.name)).collect();
            let message = format!("{} is of kind {}, which has no function {rest:?}", field.name, field.kind.name());
            Error::invalid("fields", message, accepted)
        }
        None => {
            let accepted: Vec<String> = dataset.fields.iter().map(|field| field.name.to_string()).collect();
            Error::invalid("fields", format!("{} has no field {name:?}", dataset.id), accepted)
        }
    })
}

/// The functions a name means for a field: several for `share`, none when it is not right for the field's kind.
fn parse(field: &Field, name: &str) -> Vec<Function> {
    if let (Kind::State { values, .. }, Some(word)) = (&field.kind, name.strip_prefix("share")) {
        return match word.strip_prefix('_') {
            None if word.is_empty() => (0..values.len()).map(Function::Share).collect(),
            None => Vec::new(),
            Some(word) => values.iter().position(|value| **value == *word).map(Function::Share).into_iter().collect(),
        };
    }
    if let Some(quantile) = quantile(field, name) {
        return vec![quantile];
    }
    let (shown, others) = words(&field.kind);
    if !shown.iter().chain(others).any(|&known| known == name) {
        return Vec::new();
    }
    vec![match name {
        "mean" => Function::Mean,
        "mean_of_sensors" => Function::MeanOfSensors,
        "min" => Function::Min,
        "max" => Function::Max,
        "last" => Function::Last,
        "sum" => Function::Sum,
        "rate" => Function::Rate,
        "increase" => Function::Increase,
        "n" => Function::N,
        _ => Function::Coverage,
    }]
}

/// The quantile a name means: `p95`, and `p95_sketch` where the field keeps sketches.
fn quantile(field: &Field, name: &str) -> Option<Function> {
    let sketch = name.ends_with(SKETCH);
    let digits = name.strip_suffix(SKETCH).unwrap_or(name).strip_prefix('p')?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    let percent = digits.parse().ok().filter(|percent| plain && (1..100).contains(percent))?;
    let right = matches!(field.kind, Kind::Gauge | Kind::Count | Kind::Level) && (!sketch || field.quantiles);
    right.then_some(Function::Quantile { percent, sketch })
}

/// The fields that plain names mean; all when there are none.
pub fn plain(dataset: &Dataset, asked: &[String]) -> Result<Vec<usize>, Error> {
    if asked.is_empty() {
        return Ok((0..dataset.fields.len()).collect());
    }
    let mut found = Vec::new();
    for name in asked {
        let (field, _) = dataset.field(name).ok_or_else(|| {
            let accepted: Vec<String> = dataset.fields.iter().map(|field| field.name.to_string()).collect();
            Error::invalid("fields", format!("{} has no field {name:?}", dataset.id), accepted)
        })?;
        if !found.contains(&field) {
            found.push(field);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;

//! From a cell to the published value of a function.

use super::numeric::{MEAN_DIGITS, mean};
use super::{Cell, Sums};
use crate::columns::Function;
use schemas::decimal::divide;
use schemas::energy::decibels;
use schemas::time::HOUR;
use schemas::{Field, Kind};

/// Digits after the point of coverage and shares of time.
pub const RATIO_DIGITS: u32 = 4;

/// What a function's values are published as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole numbers.
    Int,
    /// Decimals with so many digits after the point.
    Decimal(u32),
    /// Indexes into the words of a state.
    Word,
}

/// What the values of a function of a field are.
pub fn form(field: &Field, function: Function) -> Form {
    let scale = u32::from(field.resolution.scale());
    match function {
        Function::N => Form::Int,
        Function::Coverage | Function::Share(_) => Form::Decimal(RATIO_DIGITS),
        Function::Mean | Function::MeanOfSensors | Function::Rate => Form::Decimal(scale + MEAN_DIGITS),
        Function::Last if matches!(field.kind, Kind::State { .. }) => Form::Word,
        _ => Form::Decimal(scale),
    }
}

/// The value of a function other than coverage, as the integer of its form; nothing where the cell has none.
/// `elapsed` is the part of the bucket before now, in microseconds.
pub fn value(cell: &Cell, field: &Field, function: Function, elapsed: i64) -> Option<i128> {
    if function == Function::N {
        return Some(i128::from(cell.n));
    }
    if let (Function::Share(word), Sums::State(times)) = (function, &cell.sums) {
        let all: i128 = times.iter().map(|&time| i128::from(time)).sum();
        return (all > 0).then(|| divide(i128::from(times[word]) * 10_i128.pow(RATIO_DIGITS), all));
    }
    if cell.n == 0 {
        return None;
    }
    match (function, &cell.sums) {
        (Function::Quantile { percent, sketch }, _) => quantile(cell, percent, sketch).map(i128::from),
        (Function::Last, _) => cell.last.map(|last| i128::from(last.value)),
        (Function::Sum, Sums::Numeric(sums)) => Some(sums.sum),
        (Function::Min, Sums::Numeric(sums)) => Some(i128::from(sums.min)),
        (Function::Max, Sums::Numeric(sums)) => Some(i128::from(sums.max)),
        (Function::Mean, Sums::Numeric(sums)) => Some(mean(sums.sum, cell.n)),
        (Function::MeanOfSensors, Sums::Numeric(sums)) => {
            (sums.sensors > 0).then(|| divide(sums.means, i128::from(sums.sensors)))
        }
        (Function::Rate, Sums::Numeric(sums)) => {
            let scaled = sums.sum * 10_i128.pow(MEAN_DIGITS) * i128::from(HOUR);
            (elapsed > 0).then(|| divide(scaled, i128::from(elapsed)))
        }
        (Function::Increase, Sums::Cumulative(increase)) => Some(*increase),
        (Function::Mean, Sums::Level(sums)) => Some(decibels(sums.energy, cell.n, field.resolution)),
        (Function::Min, Sums::Level(sums)) => Some(i128::from(sums.min)),
        (Function::Max, Sums::Level(sums)) => Some(i128::from(sums.max)),
        (Function::Mean, Sums::Angle(sum)) => sum.degrees(cell.n, field.resolution),
        _ => None,
    }
}

/// A quantile of a cell that has counts.
fn quantile(cell: &Cell, percent: u8, sketch: bool) -> Option<i64> {
    let counts = cell.counts.as_ref()?;
    let ends = match &cell.sums {
        Sums::Numeric(sums) => (sums.min, sums.max),
        Sums::Level(sums) => (sums.min, sums.max),
        _ => return None,
    };
    if sketch { counts.by_sketch(percent, ends) } else { counts.exact(percent) }
}

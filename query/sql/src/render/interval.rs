//! Intervals as PostgreSQL writes them: `1 year 2 mons 3 days 04:05:06.7`.

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, DurationMicrosecondType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::arrow::error::ArrowError;
use schemas::time::{DAY, SECOND};

/// The texts of a column of intervals or durations.
pub(crate) fn texts(array: &ArrayRef) -> Result<StringViewArray, ArrowError> {
    if let DataType::Duration(_) = array.data_type() {
        let spans = cast(array, &DataType::Duration(TimeUnit::Microsecond))?;
        let spans = spans.as_primitive::<DurationMicrosecondType>();
        // The difference of two instants is told in days, as PostgreSQL does.
        return Ok(spans.iter().map(|span| span.map(|span| text(0, span / DAY, span % DAY))).collect());
    }
    let spans = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let spans = spans.as_primitive::<IntervalMonthDayNanoType>();
    let of = |span: IntervalMonthDayNano| text(i64::from(span.months), i64::from(span.days), span.nanoseconds / 1000);
    Ok(spans.iter().map(|span| span.map(of)).collect())
}

/// One interval of months, days and microseconds.
fn text(months: i64, days: i64, micros: i64) -> String {
    let mut parts = Vec::new();
    for (count, one, many) in [(months / 12, "year", "years"), (months % 12, "mon", "mons"), (days, "day", "days")] {
        if count != 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if micros != 0 || parts.is_empty() {
        let sign = if micros < 0 { "-" } else { "" };
        let (seconds, fraction) = (micros.abs() / SECOND, micros.abs() % SECOND);
        let clock = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
        parts.push(clock + fraction.trim_end_matches('0'));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_as_in_postgresql() {
        for (months, days, micros, expect) in [
            (0, 0, 0, "00:00:00"),
            (14, 1, 0, "1 year 2 mons 1 day"),
            (0, 3, 14_706_700_000, "3 days 04:05:06.7"),
            (0, 0, -90_000_000, "-00:01:30"),
        ] {
            assert_eq!(text(months, days, micros), expect);
        }
    }
}

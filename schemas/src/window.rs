//! Buckets of time: durations aligned to the epoch, and civil days, weeks, months and years of a zone.

use crate::time::{DAY, HOUR, SECOND};
use crate::{Span, Time, Zone};
use jiff::ToSpan;
use jiff::civil::Date;

const MINUTE: i64 = 60 * SECOND;
/// The longest duration: 366 days in hours.
const LONGEST: i64 = 366 * DAY;

/// The width of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// So many microseconds, a whole number of seconds, aligned to the epoch: `15m`, `24h`.
    Duration(i64),
    /// A civil day (`day`, alias `1d`).
    Day,
    /// A civil week from Monday.
    Week,
    /// A civil month.
    Month,
    /// A civil year.
    Year,
}

impl Bucket {
    /// Parses `1s`, `90s`, `15m`, `24h`, `7h`, `day`, `1d`, `week`, `month`, `year`. `auto` is the engine's business.
    /// The error says what is accepted. The longest duration is 366 days in hours.
    pub fn parse(text: &str) -> Result<Bucket, String> {
        match text {
            "day" | "1d" => return Ok(Bucket::Day),
            "week" => return Ok(Bucket::Week),
            "month" => return Ok(Bucket::Month),
            "year" => return Ok(Bucket::Year),
            _ => {}
        }
        let accepted = "write a duration from 1s to 8784h such as \"15m\" or \"24h\", or day, week, month, year";
        let (number, unit) = split_duration(text).ok_or(accepted)?;
        let width = match unit {
            "s" => number.checked_mul(SECOND),
            "m" => number.checked_mul(MINUTE),
            "h" => number.checked_mul(HOUR),
            "d" => {
                return Err(format!(
                    "write \"{}h\" for {number} times 24 hours, or day, week, month, year",
                    24 * number
                ));
            }
            _ => None,
        };
        width.filter(|width| (SECOND..=LONGEST).contains(width)).map(Bucket::Duration).ok_or_else(|| accepted.into())
    }

    /// The bucket `time` lies in. `zone` matters for civil buckets only.
    pub fn span(self, time: Time, zone: &Zone) -> Span {
        if let Bucket::Duration(width) = self {
            let from = Time(time.0.saturating_sub(time.0.rem_euclid(width)));
            return Span { from, to: from.plus(width) };
        }
        // A zone may turn its clocks back over midnight, so that a date comes, goes and comes again. Buckets are cut at
        // the first midnight, and the date alone does not tell on which side of it an instant lies.
        let mut first = self.first(zone.date(time));
        loop {
            let next = self.next(first);
            let span = Span { from: zone.midnight(first), to: zone.midnight(next) };
            let other = if time < span.from { self.first(first.saturating_sub(1.day())) } else { next };
            if span.holds(time) || other == first {
                return span; // the second at the ends of the calendar only
            }
            first = other;
        }
    }

    /// `span` widened to whole buckets.
    pub fn widen(self, span: Span, zone: &Zone) -> Span {
        let from = self.span(span.from, zone).from;
        let to = if span.is_empty() { from } else { self.span(Time(span.to.0 - 1), zone).to };
        Span { from, to }
    }

    /// The starts of all buckets in a widened span, and its end as last element: n buckets give n + 1 edges.
    /// Nothing if there would be more than `most` buckets.
    pub fn edges(self, span: Span, zone: &Zone, most: usize) -> Option<Vec<Time>> {
        let mut edges = vec![span.from];
        if let Bucket::Duration(width) = self {
            let count = (i128::from(span.to.0) - i128::from(span.from.0)).max(0) / i128::from(width);
            let count = usize::try_from(count).ok().filter(|count| *count <= most)?;
            edges.extend((1..=count as i64).map(|i| span.from.plus(i * width)));
            return Some(edges);
        }
        let mut first = self.first(zone.date(span.from));
        let mut last = span.from;
        while last < span.to {
            let next = self.next(first);
            if next == first {
                break; // the end of the calendar
            }
            first = next;
            let edge = zone.midnight(first);
            if edge > last {
                if edges.len() > most {
                    return None;
                }
                edges.push(edge);
                last = edge;
            }
        }
        Some(edges)
    }

    /// The first date of the civil bucket that holds `date`.
    fn first(self, date: Date) -> Date {
        match self {
            Bucket::Duration(_) | Bucket::Day => date,
            Bucket::Week => date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days()),
            Bucket::Month => date.first_of_month(),
            Bucket::Year => date.first_of_year(),
        }
    }

    /// The first date of the civil bucket after the one that begins at `first`; `first` itself at the end of the calendar.
    fn next(self, first: Date) -> Date {
        let step = match self {
            Bucket::Duration(_) | Bucket::Day => 1.day(),
            Bucket::Week => 1.week(),
            Bucket::Month => 1.month(),
            Bucket::Year => 1.year(),
        };
        first.checked_add(step).unwrap_or(first)
    }
}

impl std::fmt::Display for Bucket {
    /// As parsed: `15m`, `day`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Bucket::Duration(width) if width % HOUR == 0 => write!(f, "{}h", width / HOUR),
            Bucket::Duration(width) if width % MINUTE == 0 => write!(f, "{}m", width / MINUTE),
            Bucket::Duration(width) => write!(f, "{}s", width / SECOND),
            Bucket::Day => f.write_str("day"),
            Bucket::Week => f.write_str("week"),
            Bucket::Month => f.write_str("month"),
            Bucket::Year => f.write_str("year"),
        }
    }
}

/// Parses a duration: `1s`, `15m`, `1h`, `90d`, `2y` (a year is 365 days), in microseconds. The error says what is accepted.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let accepted = "write a number with s, m, h, d or y, such as \"90s\", \"15m\", \"24h\", \"90d\", \"2y\"";
    let (number, unit) = split_duration(text).ok_or(accepted)?;
    let unit = match unit {
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "y" => 365 * DAY,
        _ => return Err(accepted.into()),
    };
    let fits = number.checked_mul(unit).filter(|micros| *micros <= 1000 * 365 * DAY);
    fits.ok_or_else(|| "write at most 1000 years (\"1000y\")".into())
}

/// Number and unit of a duration; the number is from 1 to 12 digits and not zero.
fn split_duration(text: &str) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number = number.parse().ok().filter(|number| digits <= 12 && *number > 0)?;
    Some((number, unit))
}

#[cfg(test)]
mod tests;

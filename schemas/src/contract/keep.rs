//! The keys that are durations: `every`, `hold` and `keep`.

use super::section::Item;
use crate::time::{DAY, SECOND};
use crate::window::parse_duration;
use crate::{Cadence, Keep, Keeps};

/// `every`: a duration or `event`.
pub(super) fn cadence(item: &Item<'_>) -> Option<Cadence> {
    item.parsed(|text| match text {
        "event" => Ok(Cadence::Event),
        _ => match parse_duration(text) {
            Ok(micros) if (SECOND..=31 * DAY).contains(&micros) => Ok(Cadence::Every(micros)),
            Ok(_) => Err("write a duration from 1s to 31d, or \"event\"".into()),
            Err(remedy) => Err(format!("{remedy}; or \"event\" for readings without cadence")),
        },
    })
}

/// `hold`: up to a year.
pub(super) fn hold(item: &Item<'_>) -> Option<i64> {
    item.parsed(|text| match parse_duration(text)? {
        micros if micros <= 366 * DAY => Ok(micros),
        _ => Err("write a duration up to 366d".into()),
    })
}

/// The tiers, from the finest, and how long each is kept by default.
const TIERS: [(&str, Keep); 4] =
    [("raw", Keep::For(90 * DAY)), ("15m", Keep::For(730 * DAY)), ("1h", Keep::Forever), ("1d", Keep::Forever)];

/// `keep`; the defaults where it is silent. A coarser tier is kept at least as long as a finer one.
pub(super) fn keeps(item: Option<Item<'_>>) -> Option<Keeps> {
    let mut keeps = TIERS.map(|(_, keep)| Some(keep));
    let mut lines: [Option<Item<'_>>; 4] = [const { None }; 4];
    if let Some(section) = item.as_ref().and_then(Item::section) {
        for (i, (tier, _)) in TIERS.into_iter().enumerate() {
            lines[i] = section.take(tier);
            if let Some(item) = &lines[i] {
                keeps[i] = keep(item);
            }
        }
        section.close();
        lift(&mut keeps, &lines);
    }
    let [raw, quarter, hour, day] = keeps;
    Some(Keeps { raw: raw?, quarter: quarter?, hour: hour?, day: day? })
}

/// A default shorter than the finer tier's own words follows them; a word shorter than the finer tier's is a fault.
fn lift(keeps: &mut [Option<Keep>; 4], said: &[Option<Item<'_>>; 4]) {
    for i in 1..4 {
        let (Some(finer), Some(coarser)) = (keeps[i - 1], keeps[i]) else { continue };
        if length(coarser) >= length(finer) {
            continue;
        }
        match &said[i] {
            Some(item) => item.fault(
                format!("is shorter than `keep.{}`", TIERS[i - 1].0),
                format!("keep {} at least as long as {}", TIERS[i].0, TIERS[i - 1].0),
            ),
            None => keeps[i] = Some(finer),
        }
    }
}

fn length(keep: Keep) -> i64 {
    match keep {
        Keep::For(micros) => micros,
        Keep::Forever => i64::MAX,
    }
}

fn keep(item: &Item<'_>) -> Option<Keep> {
    item.parsed(|text| match text {
        "forever" => Ok(Keep::Forever),
        _ => match parse_duration(text) {
            Ok(micros) if micros >= DAY => Ok(Keep::For(micros)),
            Ok(_) => Err("write at least \"1d\", or \"forever\"".into()),
            Err(remedy) => Err(format!("{remedy}; or \"forever\"")),
        },
    })
}

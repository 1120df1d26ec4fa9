//! Steps of closing, by hand.

use super::*;
use crate::paths::{FileName, Layer};
use crate::shelf::TierShelf;
use crate::testing::of_kinds;
use crate::{LogId, Position};
use schemas::Day;
use schemas::time::HOUR;

fn shelf(closed: i64, tier: Tier, files: &[(i64, i64)]) -> Shelf {
    let mut shelf = Shelf::default();
    for &(min_time, max_time) in files {
        let day = Time(min_time).day();
        let name = FileName { layer: Layer::Raw { seq: 0 }, day, last: Position(1), log: LogId(1) };
        let (min_sensor, max_sensor) = ("a".to_owned(), "a".to_owned());
        let meta = FileMeta { name, bytes: 1, rows: 1, min_time, max_time, min_sensor, max_sensor };
        shelf.files.entry(day).or_default().push(Arc::new(meta));
    }
    shelf.tiers[tier as usize] = Arc::new(TierShelf { closed: Time(closed), ..TierShelf::default() });
    shelf
}

#[test]
fn a_step_closes_a_day_at_most_and_leaps_over_silence() {
    let dataset = of_kinds("Europe/Prague");
    let day = |n: i32| Day(n).start().0;
    let files = [(day(20_000) + HOUR, day(20_000) + 2 * HOUR), (day(20_300) + 5 * HOUR, day(20_301) - 1)];
    let never = i64::MIN;
    let step = |closed, tier, limit| next(&dataset, tier, &shelf(closed, tier, &files), Time(limit));
    let ends = |step: Option<Step>| {
        let step = step.expect("a step is due");
        (step.windows.first().map(|w| w.from.0), step.windows.last().map(|w| w.to.0), step.closed.0)
    };
    let limit = day(20_300) + 9 * HOUR + HOUR / 4;
    let first = ends(step(never, Tier::Hour, limit));
    assert_eq!(first, (Some(files[0].0), Some(day(20_001)), day(20_001)), "from the first row to the end of its day");
    let second = ends(step(day(20_001), Tier::Hour, limit));
    let hours = (Some(files[1].0), Some(day(20_300) + 9 * HOUR), day(20_300) + 9 * HOUR);
    assert_eq!(second, hours, "to the last full hour; between the files nothing is computed");
    assert_eq!(step(day(20_300) + 9 * HOUR, Tier::Hour, limit), None);
    let quiet = ends(step(day(20_301), Tier::Hour, day(20_302) + 1));
    assert_eq!(quiet, (None, None, day(20_302)), "silence is closed too");
    let prague = ends(step(never, Tier::Day, limit));
    assert_eq!(prague.0, Some(day(20_000) - 2 * HOUR), "a civil day begins before the UTC day");
    assert_eq!(step(never, Tier::Day, files[0].0 + HOUR), None, "its first day is not over");
    assert_eq!(next(&dataset, Tier::Hour, &shelf(never, Tier::Hour, &[]), Time(limit)), None, "no row, no window");
}

#[test]
fn the_limit_follows_the_clock_or_the_newest_reading_of_a_silent_dataset() {
    let dataset = of_kinds("UTC");
    let now = Day(20_000).start().plus(HOUR / 4 + 4 * HOUR / 60);
    assert_eq!(limit(&dataset, now, now.0, None), Time(now.0 - 4 * HOUR / 60), "three minutes settle");
    assert_eq!(limit(&dataset, now, now.0 - HOUR, None), Time(now.0 - 4 * HOUR / 60));
    assert_eq!(limit(&dataset, now, now.0 - 100 * DAY, None), Time(now.0 - 100 * DAY - 4 * HOUR / 60));
    // A backlog up to an hour ago has been filed, and its next rows are hot.
    let filed = Day(20_000).start().0 - HOUR;
    assert_eq!(limit(&dataset, now, now.0, Some(filed)), Time(filed - HOUR / 2), "what is on its way is waited for");
    assert_eq!(limit(&dataset, now, now.0, Some(i64::MIN)), Time(i64::MIN), "nothing closes before something is filed");
}

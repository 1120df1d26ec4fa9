//! Kernels by hand; the law (`crate::tests`) checks them against a plain computation.

use super::*;
use crate::run::sort_batch;
use crate::testing::{batch, of_kinds};
use schemas::Time;
use schemas::time::HOUR;

fn long(rollup: &Rollup, dataset: &Dataset, name: &str) -> Vec<i64> {
    let at = columns(dataset, Tier::Hour).iter().position(|column| &*column.name == name).expect(name);
    let values = rollup.columns[at].as_ref().expect("values");
    (0..values.len()).map(|row| values.long(row)).collect()
}

#[test]
fn a_window_holds_what_lies_inside_it() {
    let dataset = of_kinds("UTC");
    let minute = HOUR / 60;
    let rows: [crate::testing::Row<'_>; 5] = [
        ("a", 0, &[(0, 7), (2, 100), (3, 0)]),
        ("a", 30 * minute, &[(0, -3), (2, 130), (3, 1)]),
        ("a", 50 * minute, &[(2, 20)]),
        ("a", HOUR, &[(2, 25), (3, 1)]),
        ("a", 3 * HOUR, &[]),
    ];
    let run = sort_batch(&batch(&dataset, &rows), &[0]);
    let windows: Vec<Span> = (0..4).map(|h| Span { from: Time(h * HOUR), to: Time((h + 1) * HOUR) }).collect();
    let made = rollup(&dataset, Tier::Hour, &run, |_| &windows);
    assert_eq!(made.keys.time, [0, HOUR], "a reading without values makes no row");
    assert_eq!(long(&made, &dataset, "f0_n"), [2, 0]);
    assert_eq!(long(&made, &dataset, "f0_sum"), [4, ABSENT]);
    assert_eq!(long(&made, &dataset, "f0_min"), [-3, ABSENT]);
    assert_eq!(long(&made, &dataset, "f0_max"), [7, ABSENT]);
    assert_eq!(long(&made, &dataset, "f1_n"), [0, 0]);
    assert_eq!(
        long(&made, &dataset, "f2_increase"),
        [50, 0],
        "30 up, then begun again at zero; the edge belongs to no window"
    );
    assert_eq!(long(&made, &dataset, "f2_last_at"), [50 * minute, HOUR]);
    assert_eq!(long(&made, &dataset, "f3_micros_free"), [30 * minute, 0]);
    assert_eq!(long(&made, &dataset, "f3_micros_taken"), [30 * minute, HOUR], "up to the window's end");
    let held = rollup(&dataset, Tier::Hour, &run, |_| &[Span { from: Time(HOUR), to: Time(9 * HOUR) }]);
    assert_eq!(long(&held, &dataset, "f3_micros_taken"), [HOUR + HOUR / 2], "no longer than it holds");
}

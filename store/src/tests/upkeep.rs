//! Compaction and vacuum: rows stay, files grow few, and whatever is still listed can be read.

use crate::table::Table;
use crate::testing::{Bed, Dice};
use crate::{Tier, local};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use schemas::time::DAY;

/// Flushes so many files of a day.
async fn files(bed: &Bed, day: i64, many: i64) {
    for n in 0..many {
        bed.put(&[("y", day * DAY + n, &[(0, n)]), ("z", day * DAY + n, &[(1, n)])]).await;
        bed.flush().await.unwrap();
    }
}

fn committed(bed: &Bed) -> usize {
    bed.snapshot().shelf.files.values().map(Vec::len).sum()
}

#[tokio::test]
async fn the_files_of_a_day_that_is_over_become_one_and_no_row_changes() {
    for point in [None, Some("compact.file"), Some("compact.commit")] {
        let mut bed = Bed::of(2).await;
        files(&bed, 3, 5).await;
        files(&bed, 4, 2).await;
        let (rows, stamp) = (bed.rows().await, bed.snapshot().stamps.newest());
        bed.crash_at(point);
        let answer = bed.compact().await;
        assert_eq!(answer.is_err(), point.is_some());
        if point.is_some() {
            bed.restart().await;
        }
        assert_eq!((bed.rows().await, bed.table_rows().await), (rows.clone(), rows.clone()), "{point:?}");
        bed.settle().await.unwrap();
        assert_eq!(committed(&bed), 2, "one file per day");
        assert_eq!((bed.rows().await, bed.table_rows().await), (rows.clone(), rows), "{point:?}");
        assert_eq!(bed.snapshot().stamps.newest(), stamp, "no answer changes");
    }
}

#[tokio::test]
async fn rule_12_compaction_leaves_raws_position_and_the_next_flush_goes_on() {
    let mut bed = Bed::of(2).await;
    files(&bed, 3, 4).await;
    let before = crate::book::filed(&*bed.store().intake.books[0].table.lock().await);
    bed.compact().await.unwrap();
    assert_eq!(crate::book::filed(&*bed.store().intake.books[0].table.lock().await), before);
    files(&bed, 5, 2).await;
    let rows = bed.rows().await;
    bed.restart().await;
    assert_eq!(bed.rows().await, rows);
    bed.lose_log().await;
    assert_eq!(bed.rows().await, rows, "all was filed");
}

#[tokio::test]
async fn a_day_with_rows_in_memory_or_late_waits() {
    let bed = Bed::of(2).await;
    files(&bed, 3, 3).await;
    bed.put(&[("y", 3 * DAY + 50, &[(0, 1)])]).await;
    bed.compact().await.unwrap();
    assert_eq!(committed(&bed), 3, "a row of it is hot");
    bed.seal().await.unwrap();
    bed.compact().await.unwrap();
    assert_eq!(committed(&bed), 3, "sealed");
    bed.flush().await.unwrap();
    bed.put(&[("y", 3 * DAY + 1, &[(0, 7)])]).await;
    bed.flush().await.unwrap();
    bed.compact().await.unwrap();
    assert_eq!(committed(&bed), 4, "late");
    bed.fold().await.unwrap();
    bed.compact().await.unwrap();
    assert_eq!(committed(&bed), 1);
}

/// Raw files on disk, committed or not.
async fn stored(bed: &Bed) -> usize {
    bed.stored("raw").await.iter().filter(|place| !place.contains("_delta_log")).count()
}

/// Checks that each version whose entry is listed has all its files, and gives how many versions and files there are.
async fn listed(bed: &Bed) -> (usize, usize) {
    let objects = local::open(&bed.config.data).unwrap();
    let mut versions = 0;
    for tier in [None].into_iter().chain(Tier::ALL.map(Some)) {
        let folder = crate::paths::commits("d", tier);
        let mut list = objects.list(Some(&folder));
        while let Some(object) = list.next().await {
            let place = object.unwrap().location;
            let Some(version) = place.filename().and_then(|n| n.strip_suffix(".json")?.parse::<u64>().ok()) else {
                continue;
            };
            versions += 1;
            for file in Table::files_at(&*objects, bed.datasets[0].clone(), tier, version).await.unwrap() {
                let place: Path = file.place("d");
                assert!(objects.head(&place).await.is_ok(), "version {version} has {place}, which is gone");
            }
        }
    }
    (versions, stored(bed).await)
}

#[tokio::test]
async fn what_was_replaced_goes_and_what_is_listed_can_be_read() {
    for point in [None, Some("vacuum.log"), Some("vacuum.file")] {
        let mut bed = Bed::of(2).await;
        files(&bed, 3, 6).await;
        bed.settle().await.unwrap();
        files(&bed, 5, 3).await;
        let rows = bed.rows().await;
        assert_eq!(listed(&bed).await.1, 10, "six of a day, the one they became, and three");
        bed.crash_at(point);
        let answer = bed.vacuum().await;
        assert_eq!(answer.is_err(), point.is_some());
        listed(&bed).await;
        if point.is_some() {
            bed.restart().await;
            listed(&bed).await;
        }
        while bed.vacuum().await.unwrap() > 0 {
            listed(&bed).await;
        }
        assert_eq!(listed(&bed).await, (1 + 3, 4), "the newest version of each table, and its files");
        assert_eq!((bed.rows().await, bed.table_rows().await), (rows.clone(), rows.clone()));
        bed.restart().await;
        assert_eq!((bed.rows().await, bed.table_rows().await), (rows.clone(), rows));
        files(&bed, 6, 1).await;
        bed.restart().await;
        assert_eq!(committed(&bed), 5);
    }
}

#[tokio::test]
async fn what_was_replaced_lately_stays() {
    let mut bed = Bed::of(2).await;
    files(&bed, 3, 6).await;
    bed.settle().await.unwrap();
    let before = listed(&bed).await;
    for _ in 0..2 {
        let book = &bed.store().intake.books[0];
        let day = std::time::Duration::from_secs(24 * 3600);
        assert_eq!(crate::vacuum::vacuum(bed.store(), book, crate::table::now(), day).await.unwrap(), 0);
        assert_eq!(listed(&bed).await, before);
        bed.restart().await;
    }
    let later = crate::table::now() + 25 * 3_600_000;
    let book = &bed.store().intake.books[0];
    let day = std::time::Duration::from_secs(24 * 3600);
    assert!(
        crate::vacuum::vacuum(bed.store(), book, later, day).await.unwrap() > 0,
        "counted from when it was replaced"
    );
    assert_eq!(listed(&bed).await.1, 1);
}

/// Files that a crash left between writing and committing, and that no start could tell from files on their way.
#[tokio::test]
async fn strays_go_too() {
    let mut bed = Bed::of(2).await;
    let mut dice = Dice(1);
    files(&bed, 3, 3).await;
    bed.crash_at(Some("compact.file"));
    bed.compact().await.unwrap_err();
    bed.crash_at(None);
    // The version that the stray was meant for is another's.
    files(&bed, 4 + dice.below(3) as i64, 2).await;
    bed.restart().await;
    assert_eq!(stored(&bed).await, 6);
    while bed.vacuum().await.unwrap() > 0 {}
    assert_eq!(stored(&bed).await, 5);
    bed.settle().await.unwrap();
    assert_eq!(committed(&bed), 2);
}

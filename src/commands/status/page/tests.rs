//! The page of a server that is well, and of one that is not.

use super::*;
use crate::app::glance::{Pace, Silent};
use store::{Counted, DatasetStatus, Position, Status, TaskStatus};

fn glance() -> Glance {
    let air = DatasetStatus {
        id: "air_quality".into(),
        sensors: 1_200,
        hot_rows: 1,
        files: 12,
        file_bytes: 8 << 20,
        done: vec![Turn { task: Task::Flush, seconds: 12.4 }],
        ..DatasetStatus::default()
    };
    Glance {
        version: "0.1.0".into(),
        now: "2026-11-20T20:00:00.5Z".into(),
        started: "2026-11-20T16:48:01.25Z".into(),
        uptime_seconds: 11_519.25,
        memory_bytes: 105 << 20,
        well: true,
        doors: vec![Door {
            name: "listener".into(),
            address: "mqtt://127.0.0.1:1883".into(),
            messages: 1_204,
            acked: 1_204,
            messages_per_second: Some(42.04),
            ack_seconds: Some(0.0021),
            connections: 1,
            ..Door::default()
        }],
        store: Status {
            position: Position(1_204),
            log_segments: 1,
            log_bytes: 3 << 20,
            free_bytes: 71 << 30,
            datasets: vec![air],
            ..Status::default()
        },
        sync_seconds: Some(0.0012),
        paces: vec![Pace {
            dataset: "air_quality".into(),
            readings_per_second: Some(12.34),
            newest: Some("2026-11-20T19:59:56Z".into()),
        }],
        ..Glance::default()
    }
}

#[test]
fn a_town_that_is_well_fits_on_a_screen() {
    let page = text(&glance());
    assert_eq!(
        page,
        "\
Lamppost 0.1.0 is well. Up for 3 h 11 min, since 2026-11-20T16:48:01Z.

Doors
  listener mqtt://127.0.0.1:1883: 1 connection; 42.0 messages a second, acknowledged after 2.1 ms
    1 204 messages, 1 204 acknowledged since the start

Log: position 1 204, 1 segment, 3.0 MiB; an fsync takes 1.2 ms; nothing waits
Disk: 71.0 GiB free
Memory: 105.0 MiB

Dataset      readings/s  newest  sensors  silent    table  files  in memory    late
air_quality        12.3     5 s    1 200       0  8.0 MiB     12      1 row  0 rows

Maintenance: nothing under way; last flush 12 s ago

Rejects: none
"
    );
}

#[test]
fn what_is_wrong_stands_first_and_rejects_say_what_to_do() {
    let mut glance = glance();
    glance.well = false;
    glance.wrong = vec!["broker b:1883 is not connected\nat all".into()];
    glance.doors[0] = Door { name: "broker b:1883".into(), broker: true, dropped: 2, ..Door::default() };
    glance.oldest_unacked_seconds = Some(61.0);
    glance.waiting_bytes = 2048;
    glance.full_in_seconds = Some(40.0 * 86_400.0);
    glance.store.log_free_bytes = Some(1 << 30);
    glance.store.datasets[0].working = vec![Turn { task: Task::Fold, seconds: 3.0 }];
    let took = Counted { count: 9, seconds: 1.0, ..Counted::default() };
    glance.store.tasks = vec![TaskStatus { task: Task::Fold, took, failed: 1 }];
    glance.sql.workers = 1;
    glance.sql.questions = [("answered".to_owned(), 12), ("timeout".to_owned(), 1)].into();
    glance.silent =
        vec![Silent { dataset: "air_quality".into(), count: 9, sensors: vec!["a".into(), "b\x1b[2J".into()] }];
    let rejected = |n: u64| Rejected {
        source: "air_quality/0".into(),
        reason: "out_of_range".into(),
        field: "co2".into(),
        count: n,
        topic: "city/x/air".into(),
        detail: "30000 is above 10000".into(),
        payload: format!("{{\"co2\":30000}}{}", "x".repeat(500)),
        first_seen: "2026-11-19T08:00:00Z".into(),
        last_seen: "2026-11-20T19:57:00Z".into(),
        remedy: "widen it".into(),
        ..Rejected::default()
    };
    glance.rejects = (1..=6).map(rejected).collect();
    let page = text(&glance);
    let first: Vec<&str> = page.lines().take(2).collect();
    assert!(first[0].contains("is NOT well"), "{page}");
    assert_eq!(first[1], "  ! broker b:1883 is not connected\u{fffd}at all");
    for told in [
        "NOT connected; too early for a rate",
        "; 2 of QoS 0 dropped",
        "2.0 KiB wait, the oldest for 61 s",
        "71.0 GiB free for the data, 1.0 GiB for the log; full in about 40 days",
        "air_quality fold for 3 s",
        "1 turn of fold failed",
        "SQL: 1 worker; 0 running, 0 waiting; since the start: 12 answered, 1 timeout",
        "air_quality: 9 silent sensors: a, b\u{fffd}[2J, …",
        "  1 × out_of_range co2 of air_quality/0; last 3 min ago, first 2026-11-19T08:00:00Z",
        "    30000 is above 10000",
        "    what to do: widen it",
        "  and 1 more sort: see --json",
    ] {
        assert!(page.contains(told), "no {told:?} in\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 160), "{page}");
}

#[test]
fn an_empty_answer_is_still_a_page() {
    assert!(text(&Glance::default()).contains("Doors: none is open"));
}

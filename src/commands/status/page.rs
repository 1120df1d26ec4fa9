//! The page that `status` prints: one screen, what matters first.

use crate::app::glance::{Door, Glance, Rejected};
use crate::console::{bytes, count, plural, span};
use comfy_table::{CellAlignment, Table, presets};
use std::fmt::Write;
use store::{DatasetStatus, Task, Turn};

/// Sorts of rejects shown.
const SORTS: usize = 5;
/// Characters of a rejected payload shown.
const PAYLOAD: usize = 100;

/// The glance in words.
pub(super) fn text(glance: &Glance) -> String {
    let mut out = String::new();
    let state = if glance.well { "is well" } else { "is NOT well" };
    let up = span(glance.uptime_seconds);
    let _ = writeln!(out, "Lamppost {} {state}. Up for {up}, since {}.", glance.version, short(&glance.started));
    for wrong in &glance.wrong {
        let _ = writeln!(out, "  ! {}", one_line(wrong));
    }
    for recovered in &glance.store.recovered {
        let _ = writeln!(out, "  recovered at the start: {}", one_line(recovered));
    }
    for paragraph in [
        doors(glance),
        log(glance),
        datasets(glance),
        maintenance(glance),
        sql(glance),
        silent(glance),
        rejects(glance),
    ] {
        if !paragraph.is_empty() {
            let _ = write!(out, "\n{paragraph}");
        }
    }
    out
}

fn doors(glance: &Glance) -> String {
    let mut out = String::new();
    for door in &glance.doors {
        let connections = match (door.broker, door.connections) {
            (true, 0) => "NOT connected".to_owned(),
            (true, _) => "connected".to_owned(),
            (false, open) => plural(u64::try_from(open).unwrap_or(0), "connection"),
        };
        let (messages, acked) = (plural(door.messages, "message"), count(door.acked));
        let _ = writeln!(out, "  {} {}: {connections}; {}", door.name, door.address, lately(door));
        let _ = writeln!(out, "    {messages}, {acked} acknowledged since the start{}", trouble(door));
    }
    if out.is_empty() {
        return "Doors: none is open. Set mqtt.listen or add a [[broker]].\n".to_owned();
    }
    format!("Doors\n{out}")
}

fn lately(door: &Door) -> String {
    let rate = door.messages_per_second.map(|rate| format!("{} messages a second", decimal(rate)));
    let ack = door.ack_seconds.map(|seconds| format!(", acknowledged after {}", span(seconds)));
    rate.unwrap_or_else(|| "too early for a rate".to_owned()) + &ack.unwrap_or_default()
}

/// What did not go well at a door, since the start.
fn trouble(door: &Door) -> String {
    let dropped = (door.dropped > 0).then(|| format!("; {} of QoS 0 dropped", count(door.dropped)));
    let refused = (door.refused > 0).then(|| format!("; {} refused", plural(door.refused, "connection")));
    dropped.into_iter().chain(refused).collect()
}

fn log(glance: &Glance) -> String {
    let store = &glance.store;
    let sync = glance.sync_seconds.map(|seconds| format!("; an fsync takes {}", span(seconds))).unwrap_or_default();
    let waits = match glance.oldest_unacked_seconds {
        Some(seconds) => format!("{} wait, the oldest for {}", bytes(glance.waiting_bytes), span(seconds)),
        None => "nothing waits".to_owned(),
    };
    let (segments, size) = (plural(store.log_segments, "segment"), bytes(store.log_bytes));
    let position = count(store.position.0);
    let mut out = format!("Log: position {position}, {segments}, {size}{sync}; {waits}\n");
    let free = match store.log_free_bytes {
        Some(log) => format!("{} free for the data, {} for the log", bytes(store.free_bytes), bytes(log)),
        None => format!("{} free", bytes(store.free_bytes)),
    };
    let full = glance.full_in_seconds.map(|s| format!("; full in about {} at the pace of the last hour", span(s)));
    let _ = writeln!(out, "Disk: {free}{}", full.unwrap_or_default());
    let _ = writeln!(out, "Memory: {}", bytes(glance.memory_bytes));
    out
}

fn datasets(glance: &Glance) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["Dataset", "readings/s", "newest", "sensors", "silent", "table", "files", "in memory", "late"]);
    for dataset in &glance.store.datasets {
        let pace = glance.paces.iter().find(|pace| pace.dataset == dataset.id);
        let rate = pace.and_then(|pace| pace.readings_per_second).map_or("–".to_owned(), decimal);
        let newest =
            pace.and_then(|pace| pace.newest.as_deref()).map_or("–".to_owned(), |time| ago(&glance.now, time));
        let silent = glance.silent.iter().find(|silent| silent.dataset == dataset.id).map_or(0, |silent| silent.count);
        table.add_row([
            dataset.id.clone(),
            rate,
            newest,
            count(dataset.sensors),
            count(silent as u64),
            bytes(dataset.file_bytes),
            count(dataset.files),
            plural(dataset.hot_rows, "row"),
            plural(dataset.late_rows, "row"),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().fold(String::new(), |out, line| out + line.trim() + "\n")
}

fn maintenance(glance: &Glance) -> String {
    let datasets = &glance.store.datasets;
    let doing = |turn: &Turn| format!("{} for {}", turn.task.name(), span(turn.seconds));
    let working: Vec<String> =
        datasets.iter().flat_map(|d| d.working.iter().map(|turn| format!("{} {}", d.id, doing(turn)))).collect();
    let working = if working.is_empty() { "nothing under way".to_owned() } else { working.join(", ") };
    let last = |task: Task| {
        let ends = datasets.iter().flat_map(|d| &d.done).filter(|turn| turn.task == task).map(|turn| turn.seconds);
        let last = ends.min_by(f64::total_cmp)?;
        Some(format!("; last {} {} ago", task.name(), span(last)))
    };
    let done: String = [Task::Flush, Task::Fold].into_iter().filter_map(last).collect();
    let mut out = format!("Maintenance: {working}{done}\n");
    out.extend(datasets.iter().map(kept));
    for task in glance.store.tasks.iter().filter(|task| task.failed > 0) {
        let _ = writeln!(out, "  {} of {} failed since the start", plural(task.failed, "turn"), task.task.name());
    }
    out
}

/// What a dataset keeps besides raw rows, and what waits: nothing where there is nothing to tell.
fn kept(dataset: &DatasetStatus) -> String {
    let tiers = dataset.tiers.iter().filter_map(|tier| {
        let closed = tier.closed?;
        let (files, bytes) = (plural(tier.files, "file"), bytes(tier.bytes));
        Some(format!("{} {files}, {bytes}, closed to {}", tier.tier, short(&closed.to_string())))
    });
    let waits = [
        (dataset.late_days, "to be folded"),
        (dataset.stale_days, "to be refreshed"),
        (dataset.going_days, "going"),
        (dataset.gone_days, "gone"),
    ];
    let days =
        waits.iter().filter(|(days, _)| *days > 0).map(|(days, what)| format!("{} {what}", plural(*days, "day")));
    let replaced = Some(dataset.replaced_files).filter(|files| *files > 0);
    let replaced = replaced.map(|files| format!("{} to be removed", plural(files, "replaced file")));
    let parts: Vec<String> = tiers.chain(days).chain(replaced).collect();
    if parts.is_empty() { String::new() } else { format!("  {}: {}\n", dataset.id, parts.join("; ")) }
}

fn silent(glance: &Glance) -> String {
    let mut out = String::new();
    for silent in &glance.silent {
        let more = if silent.count > silent.sensors.len() { ", …" } else { "" };
        let (dataset, sensors) = (&silent.dataset, plural(silent.count as u64, "silent sensor"));
        let _ = writeln!(out, "{dataset}: {sensors}: {}{more}", one_line(&silent.sensors.join(", ")));
    }
    out
}

fn rejects(glance: &Glance) -> String {
    let mut out = String::new();
    for rejected in glance.rejects.iter().take(SORTS) {
        let Rejected { reason, topic, detail, remedy, .. } = rejected;
        let what = [rejected.field.as_str(), rejected.source.as_str()].into_iter().filter(|part| !part.is_empty());
        let what = what.collect::<Vec<_>>().join(" of ");
        let (last, first) = (ago(&glance.now, &rejected.last_seen), short(&rejected.first_seen));
        let _ = writeln!(out, "  {} × {reason} {what}; last {last} ago, first {first}", count(rejected.count));
        let payload: String = rejected.payload.chars().take(PAYLOAD).collect();
        let _ = writeln!(out, "    {} {}", one_line(topic), one_line(&payload));
        let _ = writeln!(out, "    {}", one_line(detail));
        let _ = writeln!(out, "    what to do: {remedy}");
    }
    match glance.rejects.len().saturating_sub(SORTS) {
        0 => {}
        more => {
            let _ = writeln!(out, "  and {}: see --json", plural(more as u64, "more sort"));
        }
    }
    if out.is_empty() { "Rejects: none\n".to_owned() } else { format!("Rejects\n{out}") }
}

/// Questions in SQL, once there were any: workers start with the first.
fn sql(glance: &Glance) -> String {
    let sql = &glance.sql;
    if sql.questions.is_empty() && sql.workers == 0 {
        return String::new();
    }
    let ended: Vec<String> = sql.questions.iter().map(|(ended, times)| format!("{} {ended}", count(*times))).collect();
    let (workers, ended) = (plural(sql.workers, "worker"), ended.join(", "));
    format!("SQL: {workers}; {} running, {} waiting; since the start: {ended}\n", sql.running, sql.waiting)
}

/// A rate for people: two digits where they tell something.
fn decimal(rate: f64) -> String {
    if rate >= 100.0 { count(rate.round() as u64) } else { format!("{rate:.1}") }
}

/// How long before `now` an instant was; both as RFC 3339.
fn ago(now: &str, then: &str) -> String {
    let parse = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let seconds = parse(now).zip(parse(then)).map(|(now, then)| now.duration_since(then).as_secs_f64());
    seconds.map_or_else(|| then.to_owned(), |seconds| span(seconds.round().max(1.0)))
}

/// An instant of RFC 3339 without fractions of a second.
fn short(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

/// A text without what would upset a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests;

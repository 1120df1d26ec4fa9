//! Retention: raw days and tiers' partitions that have been kept for as long as the contract says are dropped (rules 16, 17, 19).
//!
//! A raw day goes in two steps. First a record of the log marks it as going: from then on no row is taken into a window that
//! touches it. Once all those windows are committed in every tier and clean, its files leave the table. What tiers hold of it is
//! frozen: never answered from raw, never computed anew. A day is gone only if it was dropped here: older history may still come, is
//! rolled up, and goes the same way once nothing more arrives.

use crate::book::Book;
use crate::going::{Going, windows};
use crate::holding::Holding;
use crate::intake::lock;
use crate::log::Entry;
use crate::store::Store;
use crate::table::{App, Commit};
use crate::{Error, Kind, Position, Stamp, Tier};
use schemas::{Day, Keep, Time};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Days marked by one record.
const DAYS: usize = 64;

/// Since when old days have been as they are, and days going have been marked.
#[derive(Debug, Default)]
pub(crate) struct Since {
    same: HashMap<Day, (Stamp, Instant)>,
    marked: HashMap<Day, Instant>,
}

/// How long nothing must have come for a day before it is marked, and how long after that what was judged before may still
/// be on its way to the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) rest: Duration,
    pub(crate) grace: Duration,
}

/// Takes the steps that are due in a dataset: marks days, drops days marked before, drops partitions of tiers. Gives how many days
/// and partitions were marked or dropped.
pub(crate) async fn retain(
    store: &Store,
    book: &Book,
    now: Time,
    since: &mut Since,
    patience: Patience,
) -> Result<usize, Error> {
    let _turn = book.turn.lock().await;
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    let mut done = mark(store, book, now, since, patience.rest).await?;
    done += drop_days(store, book, since, patience.grace).await?;
    for tier in Tier::ALL {
        done += drop_partitions(store, book, tier, now).await?;
    }
    Ok(done)
}

/// Whether [`retain`] may find anything to do; cheap.
pub(crate) fn may_be_due(holding: &Holding, now: Time) -> bool {
    let keeps = &holding.dataset.keep;
    let oldest = holding.shelf.files.keys().next();
    let raw = oldest.is_some_and(|day| is_over(keeps.raw, day.span().to, now));
    raw || Tier::ALL.into_iter().any(|tier| floor(holding, tier, now).is_some())
}

/// Whether what ended at `end` has been kept for long enough.
fn is_over(keep: Keep, end: Time, now: Time) -> bool {
    match keep {
        Keep::For(micros) => end.0.saturating_add(micros) <= now.0,
        Keep::Forever => false,
    }
}

/// Marks days that are old and at rest as going (rule 16).
async fn mark(store: &Store, book: &Book, now: Time, since: &mut Since, rest: Duration) -> Result<usize, Error> {
    let days: Vec<Day> = {
        let holding = lock(&book.holding);
        let keep = holding.dataset.keep.raw;
        let old = holding.shelf.files.keys().copied().take_while(|day| is_over(keep, day.span().to, now));
        let old: Vec<Day> = old.filter(|day| !holding.known.going.contains_key(day)).collect();
        since.same.retain(|day, _| old.contains(day));
        let is_at_rest = |day: &Day| {
            let stamp = holding.known.stamps.over(day.span());
            let known = since.same.entry(*day).or_insert_with(|| (stamp, Instant::now()));
            if known.0 != stamp {
                *known = (stamp, Instant::now());
            }
            known.1.elapsed() >= rest
        };
        old.into_iter().filter(is_at_rest).take(DAYS).collect()
    };
    if days.is_empty() {
        return Ok(0);
    }
    let going = Going { dataset: book.dataset.id.clone(), days };
    let marked = going.days.len();
    let receipt = store.log.log(vec![Entry::Going(going)])?.await;
    receipt.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the log ended before it could answer")))?;
    store.points.pass("retain.mark")?;
    Ok(marked)
}

/// Drops the files of days that were marked, where all windows that touch them are committed and clean.
async fn drop_days(store: &Store, book: &Book, since: &mut Since, grace: Duration) -> Result<usize, Error> {
    let ready: Vec<(Day, Position)> = {
        let holding = lock(&book.holding);
        let going = holding.known.going.iter().filter(|(day, _)| !holding.shelf.gone.contains(day));
        let going: Vec<(Day, Position)> = going.map(|(day, position)| (*day, *position)).collect();
        since.marked.retain(|day, _| going.iter().any(|(other, _)| other == day));
        let mut has_waited = |day| since.marked.entry(day).or_insert_with(Instant::now).elapsed() >= grace;
        going.into_iter().filter(|(day, _)| has_waited(*day) && is_rolled_up(&holding, *day)).collect()
    };
    let dropped = ready.len();
    for (day, position) in ready {
        let mut table = book.table.lock().await;
        let files = table.files().keys().filter(|name| name.day == day).copied().collect();
        let commit = Commit {
            adds: Vec::new(),
            removes: files,
            transactions: vec![(App::Gone(day), position)],
            info: serde_json::json!({ "what": "retention", "day": day.to_string() }),
            data_change: true,
        };
        let committed = table.commit(&commit).await;
        book.change(|holding| {
            Arc::make_mut(&mut holding.shelf).take_over(&table);
            holding.version = table.version();
            holding.changed();
        });
        drop(table);
        committed?;
        store.points.pass("retain.commit")?;
        commit.removes.iter().for_each(|name| store.cache.forget(&book.dataset, *name));
    }
    Ok(dropped)
}

/// Whether every tier has all rows of all windows that touch a day.
fn is_rolled_up(holding: &Holding, day: Day) -> bool {
    let dataset = &*holding.dataset;
    let last = Time(day.span().to.0 - 1);
    let closed = |tier: Tier| holding.shelf.tier(tier).closed >= tier.window(last, &dataset.zone).to;
    let span = windows(dataset, day);
    let Some((first, end)) = span.days() else { return false };
    let days = first..=end;
    let cuts = holding.sealed.iter().flat_map(|part| &part.cuts).chain(&holding.hot.cuts);
    let in_memory = holding.sealed.iter().flat_map(|part| part.days.keys()).chain(holding.hot.days.keys());
    Tier::ALL.into_iter().all(closed)
        && !in_memory.copied().any(|other| days.contains(&other))
        && !cuts.into_iter().any(|cut| cut.span.from < span.to && cut.span.to > span.from)
        && [&holding.shelf.late, &holding.shelf.stale].iter().all(|late| late.range(days.clone()).next().is_none())
}

/// The instant below which a tier is to have no windows, if it has any there.
fn floor(holding: &Holding, tier: Tier, now: Time) -> Option<Time> {
    let (keep, shelf) = (tier.keep(&holding.dataset.keep), holding.shelf.tier(tier));
    let ends = shelf.files.keys().map(|first| tier.partition_span(*first).to);
    ends.take_while(|end| is_over(keep, *end, now) && *end <= shelf.closed && end.0 > 0).last()
}

/// Drops whole partitions of a tier, and says so in its floor (rule 19).
async fn drop_partitions(store: &Store, book: &Book, tier: Tier, now: Time) -> Result<usize, Error> {
    let Some(floor) = floor(&lock(&book.holding), tier, now) else { return Ok(0) };
    let mut table = book.tier(tier).lock().await;
    let below = table.files().keys().filter(|name| tier.partition_span(name.day).to <= floor);
    let commit = Commit {
        adds: Vec::new(),
        removes: below.copied().collect(),
        transactions: vec![(App::Floor, Position(floor.0 as u64))],
        info: serde_json::json!({ "what": "retention", "floor": floor.to_string() }),
        data_change: true,
    };
    let committed = table.commit(&commit).await;
    book.change(|holding| {
        Arc::make_mut(&mut holding.shelf).take_over_tier(tier, &table);
        holding.changed();
    });
    drop(table);
    committed?;
    store.points.pass("retain.tier")?;
    commit.removes.iter().for_each(|name| store.cache.forget(&book.dataset, *name));
    Ok(commit.removes.len())
}

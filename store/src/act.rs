//! Erasing: what it would concern, the act, and the newest values it leaves.

use crate::book::Book;
use crate::intake::lock;
use crate::log::Entry;
use crate::run::cut::Cut;
use crate::store::Store;
use crate::tier::columns::{self, Part};
use crate::{Erasure, Error, Kind, Receipt, SensorIx, Snapshot, Tier};
use schemas::{ABSENT, Span, Time};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Days of readings looked at together.
const DAYS: usize = 16;

/// All time.
const ALWAYS: Span = Span { from: Time(-1 << 60), to: Time(1 << 60) };

/// What an erasure would do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Its span: as it was asked for, or wider where raw readings are gone: there whole windows are erased (rule 15).
    pub span: Span,
    /// Raw readings it concerns.
    pub rows: u64,
    /// Tiers whose rows change.
    pub tiers: Vec<Tier>,
    /// Whether it erases rows of tiers whose raw readings are gone.
    pub frozen: bool,
}

/// What an erasure would do. `Kind::Unknown` where dataset, sensor or field is not known, `Kind::Mismatch` where the span is
/// empty.
pub(crate) async fn preview(store: &Store, erasure: &Erasure) -> Result<Preview, Error> {
    let (snapshot, sensor, fields) = understood(store, erasure)?;
    let span = widened(&snapshot, erasure.span);
    let mut rows = 0;
    for days in snapshot.days(span).chunks(DAYS) {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { break };
        let part = Span { from: span.from.max(first.start()), to: span.to.min(last.span().to) };
        let loaded = snapshot.load(part, Some(&[sensor]), &fields).await?;
        loaded.series(sensor, &mut |series| {
            let any = |row: &usize| series.columns.iter().any(|column| column[*row] != ABSENT);
            rows += (0..series.time.len()).filter(|row| fields.is_empty() || any(row)).count() as u64;
        });
    }
    let changes = |tier: &Tier| span.from < snapshot.closed(*tier) && span.to > snapshot.floor(*tier);
    let tiers = Tier::ALL.into_iter().filter(changes).collect();
    Ok(Preview { span, rows, tiers, frozen: snapshot.gone(span).is_some() })
}

/// A span whose ends lie in no window that cannot be computed anew: such windows of the coarsest kept tier are whole in it
/// (rule 15).
fn widened(snapshot: &Snapshot, span: Span) -> Span {
    let frozen = |time: Time| {
        let kept = Tier::ALL.into_iter().rev().find(|tier| time >= snapshot.floor(*tier))?;
        let window = kept.window(time, &snapshot.dataset.zone);
        snapshot.gone(window).map(|_| window)
    };
    Span {
        from: frozen(span.from).map_or(span.from, |window| window.from),
        to: frozen(span.to.plus(-1)).map_or(span.to, |window| window.to),
    }
}

/// What an erasure names, in numbers.
fn understood(store: &Store, erasure: &Erasure) -> Result<(Arc<Snapshot>, SensorIx, Vec<usize>), Error> {
    let snapshot = lock(&store.book(&erasure.dataset)?.holding).snapshot();
    let unknown = |message: String| Error::new(Kind::Unknown, message);
    let (id, dataset) = (&erasure.sensor, &snapshot.dataset);
    let sensor = snapshot.sensor(id);
    let sensor = sensor.ok_or_else(|| unknown(format!("no sensor {id:?} in dataset {:?}", &*dataset.id)))?;
    let field = |name: &Arc<str>| {
        let known = || dataset.fields.iter().map(|field| &*field.name).collect::<Vec<_>>().join(", ");
        let found = dataset.field(name).map(|(ix, _)| ix);
        found.ok_or_else(|| unknown(format!("no field {name:?} in dataset {:?}; there are: {}", &*dataset.id, known())))
    };
    let fields = erasure.fields.iter().map(field).collect::<Result<_, Error>>()?;
    if erasure.span.is_empty() {
        let (from, to) = (erasure.span.from, erasure.span.to);
        return Err(Error::new(Kind::Mismatch, format!("nothing lies between {from} and {to}; name a later end")));
    }
    Ok((snapshot, sensor, fields))
}

/// Logs an erasure and waits until it is durable, in force, told by the newest values and in the audit log. Gives its receipt.
pub(crate) async fn erase(store: &Store, erasure: Erasure) -> Result<Receipt, Error> {
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    let (snapshot, ..) = understood(store, &erasure)?;
    let erasure = Erasure { span: widened(&snapshot, erasure.span), ..erasure };
    drop(snapshot);
    let dataset = erasure.dataset.clone();
    let receipt = store.log.log(vec![Entry::Erase(erasure)])?.await;
    let receipt = receipt.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the log ended before it could answer")))?;
    if let Err(error) = find(store.book(&dataset)?).await {
        tracing::warn!(%dataset, %error, "newest values after an erasure could not be read; it is tried again");
    }
    // Whoever has the turn now (a backup may have it long) saves it, or the next one does.
    if let Ok(_turn) = store.saving.try_lock()
        && let Err(error) = store.save_desk().await
    {
        tracing::warn!(%error, "the audit log could not be written; it is tried again before the log lets the record go");
    }
    Ok(receipt)
}

/// Finds the newest values left where erasures took the newest (rule 21).
pub(crate) async fn find(book: &Book) -> Result<(), Error> {
    loop {
        let snapshot = {
            let mut holding = lock(&book.holding);
            if holding.known.latest.owed.is_empty() {
                return Ok(());
            }
            holding.snapshot()
        };
        let Some(&(sensor, _)) = snapshot.latest.owed.keys().next() else { return Ok(()) };
        let own = snapshot.latest.owed.range((sensor, 0)..=(sensor, usize::MAX));
        let fields: Vec<usize> = own.map(|((_, field), _)| *field).collect();
        let newest = newest(&snapshot, sensor, &fields).await?;
        book.change(|holding| {
            let latest = Arc::make_mut(&mut holding.known.latest);
            for (field, newest) in fields.into_iter().zip(newest) {
                latest.found((sensor, field), snapshot.latest.erasures, newest);
            }
            holding.changed();
        });
    }
}

/// The newest value of each field of a sensor, and its instant.
async fn newest(snapshot: &Snapshot, sensor: SensorIx, fields: &[usize]) -> Result<Vec<Option<(i64, i64)>>, Error> {
    let mut newest = vec![None; fields.len()];
    for day in snapshot.days(ALWAYS).into_iter().rev() {
        if newest.iter().all(Option::is_some) {
            break;
        }
        let loaded = snapshot.load(day.span(), Some(&[sensor]), fields).await?;
        loaded.series(sensor, &mut |series| {
            for (newest, column) in newest.iter_mut().zip(series.columns).filter(|(newest, _)| newest.is_none()) {
                let last = column.iter().rposition(|value| *value != ABSENT);
                *newest = last.map(|row| (series.time[row], column[row]));
            }
        });
    }
    if !snapshot.shelf.gone.is_empty() {
        for (newest, &field) in newest.iter_mut().zip(fields).filter(|(newest, _)| newest.is_none()) {
            *newest = newest_frozen(snapshot, sensor, field).await?;
        }
    }
    Ok(newest)
}

/// The newest value of a field in civil days whose raw readings are gone, and its instant.
async fn newest_frozen(snapshot: &Snapshot, sensor: SensorIx, field: usize) -> Result<Option<(i64, i64)>, Error> {
    let columns = columns::columns(&snapshot.dataset, Tier::Day);
    let number = |part| columns::find(&columns, field, part);
    let (Some(last), Some(at)) = (number(Part::Last), number(Part::LastAt)) else { return Ok(None) };
    let shelf = &snapshot.shelf;
    let files = shelf.late.values().chain(shelf.stale.values()).flatten().flat_map(|file| &file.cuts);
    let cuts = files.chain(snapshot.cuts.iter().map(|(_, cut)| cut)).filter(|cut| cut.sensor == sensor);
    let cuts: Vec<Cut> = cuts.filter(|cut| cut.fields.is_empty() || cut.fields.contains(&field)).cloned().collect();
    let mut newest = None;
    for rollup in snapshot.load_tier(Tier::Day, ALWAYS, Some(&[sensor]), &[last, at]).await? {
        let long = |column: usize, row| rollup.columns[column].as_ref().map_or(ABSENT, |values| values.long(row));
        for row in rollup.keys.rows(sensor) {
            let window = Tier::Day.window(Time(rollup.keys.time[row]), &snapshot.dataset.zone);
            let erased = cuts.iter().any(|cut| cut.within(window).is_some());
            if snapshot.gone(window).is_some() && !erased && long(at, row) != ABSENT {
                newest = newest.max(Some((long(at, row), long(last, row))));
            }
        }
    }
    Ok(newest)
}

//! Erasing: what it would concern, the act, and the newest values it leaves.

use crate::book::Book;
use crate::intake::lock;
use crate::log::Entry;
use crate::store::Store;
use crate::{Erasure, Error, Kind, Receipt, SensorIx, Snapshot};
use schemas::{ABSENT, Span, Time};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Days of readings looked at together.
const DAYS: usize = 16;

/// All time.
const ALWAYS: Span = Span { from: Time(-1 << 60), to: Time(1 << 60) };

/// Readings that an erasure would concern now. `Kind::Unknown` where dataset, sensor or field is not known, `Kind::Mismatch`
/// where the span is empty.
pub(crate) async fn preview(store: &Store, erasure: &Erasure) -> Result<u64, Error> {
    let (snapshot, sensor, fields) = understood(store, erasure)?;
    let mut rows = 0;
    for days in snapshot.days(erasure.span).chunks(DAYS) {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { break };
        let from = erasure.span.from.max(first.start());
        let span = Span { from, to: erasure.span.to.min(last.span().to) };
        let loaded = snapshot.load(span, Some(&[sensor]), &fields).await?;
        loaded.series(sensor, &mut |series| {
            let any = |row: &usize| series.columns.iter().any(|column| column[*row] != ABSENT);
            rows += (0..series.time.len()).filter(|row| fields.is_empty() || any(row)).count() as u64;
        });
    }
    Ok(rows)
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

/// Logs an erasure and waits until it is durable, in force, and told by the newest values.
pub(crate) async fn erase(store: &Store, erasure: Erasure) -> Result<Receipt, Error> {
    if store.closed.load(Ordering::Acquire) {
        return Err(Error::new(Kind::Closed, "the store has been closed"));
    }
    understood(store, &erasure)?;
    let dataset = erasure.dataset.clone();
    let receipt = store.log.log(vec![Entry::Erase(erasure)])?.await;
    let receipt = receipt.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the log ended before it could answer")))?;
    if let Err(error) = find(store.book(&dataset)?).await {
        tracing::warn!(%dataset, %error, "newest values after an erasure could not be read; it is tried again");
    }
    Ok(receipt)
}

/// Finds the newest values left where erasures took the newest (rule 21).
pub(crate) async fn find(book: &Book) -> Result<(), Error> {
    loop {
        let snapshot = lock(&book.holding).snapshot();
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
    Ok(newest)
}

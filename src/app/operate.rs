//! What operators have the running server do: the work behind `/operate/…`.

use super::backups::Backups;
use access::{Kind, Problem};
use jiff::Timestamp;
use schemas::{Day, Span, Time};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serve::{Doing, Order};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Clock, Erasure, Reader, Writer};

/// What each act needs.
#[derive(Clone)]
pub(super) struct Operator {
    pub(super) writer: Writer,
    pub(super) reader: Reader,
    pub(super) clock: Clock,
    pub(super) backups: Backups,
}

/// The acts there are.
const ACTS: [&str; 3] = ["erase", "audit", "backup"];

/// What `erase` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erase {
    dataset: Arc<str>,
    sensor: Arc<str>,
    /// First instant: RFC 3339, or the start of a UTC day.
    from: String,
    /// First instant after.
    to: String,
    /// Names of fields; none stands for whole readings.
    #[serde(default)]
    fields: Vec<Arc<str>>,
    /// Only tell what it would do.
    #[serde(default)]
    dry_run: bool,
}

/// What `backup` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Copied {
    /// Folder on this machine, by its full path.
    to: PathBuf,
}

impl Operator {
    /// Does an order.
    pub(super) fn act(&self, order: Order) -> Doing {
        let own = self.clone();
        Box::pin(async move {
            match order.act.as_str() {
                "erase" => own.erase(order).await,
                "backup" => own.backup(order).await,
                "audit" => Ok(json!({ "data": own.reader.acts().await.map_err(problem)? })),
                other => Err(Problem::new(
                    Kind::NotFound,
                    format!("there is no order {other:?}; there are: {}", ACTS.join(", ")),
                )),
            }
        })
    }

    /// Begins a backup, or tells how it goes.
    async fn backup(&self, order: Order) -> Result<Value, Problem> {
        let Copied { to } = words(order.words)?;
        let ended = self.backups.order(&self.writer, to).await.map_err(problem)?;
        let Some(store::Backup { position, files, bytes, linked }) = ended else { return Ok(json!({ "done": false })) };
        Ok(json!({ "done": true, "position": position.0, "files": files, "bytes": bytes, "linked": linked }))
    }

    /// Erases, or tells what an erasure would do.
    async fn erase(&self, order: Order) -> Result<Value, Problem> {
        let erase: Erase = words(order.words)?;
        let span = Span { from: instant("from", &erase.from)?, to: instant("to", &erase.to)? };
        let erasure = Erasure {
            dataset: erase.dataset,
            sensor: erase.sensor,
            span,
            fields: erase.fields,
            at: (self.clock)(),
            who: order.who.into(),
            rows: 0,
        };
        let preview = self.writer.preview(&erasure).await.map_err(problem)?;
        let mut answer = json!({
            "dataset": erasure.dataset,
            "sensor": erasure.sensor,
            "from": preview.span.from.to_string(),
            "to": preview.span.to.to_string(),
            "widened": preview.span != span,
            "fields": erasure.fields,
            "rows": preview.rows,
            "tiers": preview.tiers.iter().map(|tier| tier.name()).collect::<Vec<_>>(),
            "frozen": preview.frozen,
        });
        if !erase.dry_run {
            let receipt = self.writer.erase(Erasure { rows: preview.rows, ..erasure }).await.map_err(problem)?;
            answer["position"] = receipt.position.0.into();
        }
        Ok(answer)
    }
}

/// What was sent with an order.
fn words<T: DeserializeOwned>(words: Value) -> Result<T, Problem> {
    serde_json::from_value(words).map_err(|e| Problem::new(Kind::Invalid, format!("the order: {e}")))
}

/// An instant as people write it.
fn instant(name: &str, text: &str) -> Result<Time, Problem> {
    let stamp = || Some(Time(text.parse::<Timestamp>().ok()?.as_microsecond()));
    Day::parse(text).map(Day::start).or_else(stamp).ok_or_else(|| {
        let accepted = ["2026-11-20T08:15:00Z", "2026-11-20T09:15:00+01:00", "2026-11-20"];
        Problem::parameter(name, format!("{text:?} is no instant"), accepted)
    })
}

/// A failure of the store, for whoever ordered.
fn problem(error: store::Error) -> Problem {
    let kind = match error.kind {
        store::Kind::Unknown => Kind::NotFound,
        store::Kind::Mismatch | store::Kind::Unusable => Kind::Invalid,
        store::Kind::Busy => Kind::Busy,
        store::Kind::Full => Kind::Full,
        store::Kind::Closed => Kind::Closed,
        _ => Kind::Internal,
    };
    Problem::new(kind, error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_people_write_them() {
        assert_eq!(instant("from", "1970-01-02").unwrap(), Time(86_400_000_000));
        assert_eq!(instant("from", "1970-01-01T01:00:00.5+01:00").unwrap(), Time(500_000));
        let problem = instant("to", "yesterday").unwrap_err();
        assert_eq!(problem.errors[0].parameter, "to");
    }
}

//! JSON at a dataset's own door, `POST /api/v1/datasets/{dataset}/readings`: an object, an array of objects, or JSON lines.
//!
//! Read as the dataset's source with `http = "readings"` says. SenML comes in here too, by its media type.

use super::Door;
use crate::parcel::Refused;
use crate::{Message, Outcome, Ticket};
use access::{Kind, Problem};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Refusals that an answer names.
const NAMED: usize = 100;
/// JSON lines, under the names they go by.
const LINES: [&str; 3] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/// `POST /api/v1/datasets/{dataset}/readings`.
pub(super) async fn post(
    State(door): State<Arc<Door>>,
    Path(dataset): Path<String>,
    request: Request,
) -> Response<Body> {
    if content_type(&request) == Some(super::senml::TYPE) {
        return door.pack(&dataset, request).await;
    }
    let began = Instant::now();
    match door.readings(&dataset, request).await {
        Ok(outcomes) => {
            door.metrics.acked.inc();
            door.metrics.ack_duration.0.count(began.elapsed(), 1);
            told(&outcomes)
        }
        Err(problem) => problem.into_response(),
    }
}

/// Messages that were submitted together, and of each the number of its first record in the body.
struct Submitted {
    ticket: Ticket,
    first: usize,
}

impl Door {
    /// Takes readings of a dataset; what became of them once they are durable, each with the number of its first record.
    async fn readings(&self, dataset: &str, request: Request) -> Result<Vec<(usize, Outcome)>, Problem> {
        let may = self.admit(&request, None)?;
        self.allows(&may, dataset)?;
        let route = self.route(dataset)?;
        let lines = content_type(&request).is_some_and(|name| LINES.contains(&name));
        let topic: Arc<str> = request.uri().path().into();
        let received = self.bodies.receive(request, &self.parts.limits).await?;
        let most = self.parts.intake.max_message();
        let pieces = if lines { split(&received.text) } else { vec![(0, received.text.clone())] };
        if let Some((at, _)) = pieces.iter().find(|(_, text)| text.len() > most) {
            let detail = format!("record {at} has more than {most} bytes; send it in parts, as {}", LINES[0]);
            return Err(Problem::new(Kind::TooLarge, detail));
        }
        let mut submitted = Vec::new();
        for (first, text) in pieces {
            self.metrics.messages.inc();
            self.metrics.bytes.inc_by(text.len() as u64);
            let message = Message::new(topic.clone(), text, self.parts.intake.now());
            let room = self.room(message.weight()).await?;
            submitted.push(Submitted { ticket: self.parts.intake.ask_for(room, vec![message], Some(route)), first });
        }
        drop(received);
        let mut outcomes = Vec::new();
        for Submitted { ticket, first } in submitted {
            outcomes.push((first, self.durable(ticket).await?));
        }
        Ok(outcomes)
    }

    /// Takes a pack for a dataset.
    async fn pack(&self, dataset: &str, request: Request) -> Response<Body> {
        let may = self.admit(&request, None).and_then(|may| self.allows(&may, dataset));
        if let Err(problem) = may {
            return problem.into_response();
        }
        let routes = self.packs(|id| id == dataset);
        if routes.is_empty() {
            let detail = format!("no dataset {dataset:?} takes SenML: its contract needs a [[source]] with `senml`");
            return Problem::new(Kind::NotFound, detail).into_response();
        }
        self.answer_pack(routes, request).await
    }

    /// The route of the dataset's own door.
    fn route(&self, dataset: &str) -> Result<usize, Problem> {
        let catalog = self.parts.intake.catalog();
        let of = |route: &usize| &*catalog.datasets[catalog.routes[*route].dataset].id == dataset;
        if let Some(route) = (0..catalog.routes.len()).filter(of).find(|route| catalog.source(*route).http) {
            return Ok(route);
        }
        // One that may not write here learns no more than that, nor of datasets that are restricted.
        let detail = format!(
            "no dataset {dataset:?} takes readings here: its contract needs a [[source]] with http = \"readings\""
        );
        Err(Problem::new(Kind::NotFound, detail))
    }
}

/// The media type of a body, without its parameters.
fn content_type(request: &Request) -> Option<&str> {
    let text = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim())
}

/// Lines that are not blank, with their numbers.
fn split(text: &Bytes) -> Vec<(usize, Bytes)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if !line.trim_ascii().is_empty() {
            pieces.push((number, text.slice(start..start + line.len())));
        }
        start += line.len() + 1;
    }
    pieces
}

/// What became of the readings: 200 when all were taken, 422 with the first that were not.
pub(super) fn told(outcomes: &[(usize, Outcome)]) -> Response<Body> {
    let taken: u64 = outcomes.iter().map(|(_, outcome)| outcome.taken).sum();
    let refused: u64 = outcomes.iter().map(|(_, outcome)| outcome.refused).sum();
    let fault = |first: usize, refused: &Refused| -> Value {
        let (reason, detail) = (refused.refusal.reason.name(), &refused.refusal.detail);
        json!({ "record": first + refused.at as usize, "field": *refused.field, "reason": reason, "detail": detail })
    };
    let all = outcomes.iter().flat_map(|(first, outcome)| outcome.told.iter().map(|refused| fault(*first, refused)));
    let (status, kind, document) = match refused {
        0 => (StatusCode::OK, "application/json", json!({ "taken": taken, "refused": 0 })),
        _ => {
            let wire = Kind::Refused.wire();
            let document = json!({
                "type": format!("/docs/problems/{}", wire.slug),
                "title": wire.title,
                "status": wire.status.as_u16(),
                "detail": format!("{taken} readings were taken, {refused} readings or fields refused; records are counted from 0"),
                "taken": taken,
                "refused": refused,
                "errors": all.take(NAMED).collect::<Vec<_>>(),
            });
            (wire.status, "application/problem+json", document)
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, format!("{document}\n")).into_response()
}

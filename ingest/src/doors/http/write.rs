//! Line protocol at `/write` (InfluxDB 1) and `/api/v2/write` (InfluxDB 2).

use super::Door;
use super::answer::Api;
use crate::decode::News;
use crate::decode::line::{self, Precision};
use crate::doors::listener::gate::{Login, May};
use crate::{Error, Outcome, Parcel, Ticket};
use access::{Kind, Problem};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use url::form_urlencoded;

/// What the query of a write says. `db`, `rp`, `consistency`, `org` and `bucket` are taken and mean nothing here: the
/// measurement says where a line belongs.
#[derive(Debug, Default)]
struct Query {
    precision: Precision,
    login: Option<Login>,
}

/// `POST /write`.
pub(super) async fn first(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    door.answer(Api::First, request).await
}

/// `POST /api/v2/write`.
pub(super) async fn second(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    door.answer(Api::Second, request).await
}

/// A body that was read: what it says of sensors passes for told. Unless all of it gets through, whoever says it next tells it
/// again, also when the sender leaves meanwhile.
struct Telling<'a> {
    news: &'a News,
    through: bool,
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if !self.through {
            self.news.repeat();
        }
    }
}

impl Door {
    async fn answer(&self, api: Api, request: Request) -> Response<Body> {
        let began = Instant::now();
        match self.write(api, request).await {
            Ok((outcome, body)) => {
                self.metrics.acked.inc();
                self.metrics.ack_duration.0.count(began.elapsed(), 1);
                if outcome.refused == 0 { api.taken() } else { api.partial(&outcome, &body) }
            }
            Err(problem) => api.problem(problem),
        }
    }

    /// Takes a body of lines; what became of it once that is durable, and its text.
    async fn write(&self, api: Api, request: Request) -> Result<(Outcome, Bytes), Problem> {
        let Query { precision, login } = query(api, request.uri().query().unwrap_or_default())?;
        let may = self.admit(&request, login)?;
        let topic: Arc<str> = request.uri().path().into();
        let received = self.bodies.receive(request, &self.parts.limits).await?;
        let text = received.text.clone();
        self.metrics.messages.inc();
        self.metrics.bytes.inc_by(text.len() as u64);
        let body = line::Body { topic, text: text.clone(), precision, now: self.parts.intake.now() };
        let mut telling = Telling { news: &self.readers.news, through: false };
        let parcel = self.readers.with(|reader| reader.read(body));
        if parcel.readings.is_empty() && parcel.refused.is_empty() {
            telling.through = true;
            return Ok((Outcome::default(), text));
        }
        self.allows_all(&may, &parcel)?;
        let refused = parcel.refused.len() as u64;
        let room = self.room(parcel.weight()).await?;
        let outcome = self.durable(self.parts.intake.ask_parcel(room, parcel)).await?;
        drop(received);
        telling.through = outcome.refused == refused;
        Ok((outcome, text))
    }

    /// Every dataset that would take a line must be allowed.
    fn allows_all(&self, may: &May, parcel: &Parcel) -> Result<(), Problem> {
        if *may == May::All {
            return Ok(());
        }
        let catalog = self.parts.intake.catalog();
        let refused = parcel.refused.iter().filter_map(|refused| refused.route);
        let mut routes = parcel.readings.iter().map(|readings| readings.route).chain(refused);
        routes.try_for_each(|route| self.allows(may, &catalog.datasets[catalog.routes[route].dataset].id))
    }

    /// Room in front of the log, waited for as long as patience lasts.
    pub(super) async fn room(&self, weight: usize) -> Result<crate::intake::Room, Problem> {
        if let Some(room) = self.parts.intake.try_room(weight) {
            return Ok(room);
        }
        match timeout(self.parts.config.patience, self.parts.intake.room(weight)).await {
            Ok(room) => room.map_err(closed),
            Err(_) => Err(Problem::new(Kind::Busy, "as many readings wait for the log as may; send them again")),
        }
    }

    /// Waits until what a ticket stands for is durable.
    pub(super) async fn durable(&self, ticket: Ticket) -> Result<Outcome, Problem> {
        match timeout(self.longest(), ticket).await {
            Ok(outcome) => outcome.map_err(closed),
            Err(_) => {
                let detail = "the readings are not durable yet; send them again: those with a time of their own never count twice";
                Err(Problem::new(Kind::Busy, detail))
            }
        }
    }

    /// How long an answer may take.
    fn longest(&self) -> Duration {
        self.parts.limits.request
    }
}

fn closed(error: Error) -> Problem {
    Problem::new(Kind::Closed, error.message)
}

/// Reads the query of a write.
fn query(api: Api, text: &str) -> Result<Query, Problem> {
    let mut query = Query::default();
    if text.is_empty() {
        return Ok(query);
    }
    let mut login = Login::default();
    for (key, value) in form_urlencoded::parse(text.as_bytes()) {
        match (&*key, api) {
            ("precision", _) => query.precision = precision(api, &value)?,
            ("u", Api::First) => login.user = Some(value.into_owned()),
            ("p", Api::First) => login.password = Some(value.into_owned().into_bytes()),
            _ => {}
        }
    }
    query.login = (login != Login::default()).then_some(login);
    Ok(query)
}

fn precision(api: Api, text: &str) -> Result<Precision, Problem> {
    Ok(match (text, api) {
        ("" | "ns", _) | ("n", Api::First) => Precision::Nano,
        ("us", _) | ("u" | "µ", Api::First) => Precision::Micro,
        ("ms", _) => Precision::Milli,
        ("s", _) => Precision::Second,
        ("m", Api::First) => Precision::Minute,
        ("h", Api::First) => Precision::Hour,
        _ => {
            let accepted = match api {
                Api::First => "n, ns, u, us, ms, s, m or h",
                Api::Second => "ns, us, ms or s",
            };
            return Err(Problem::new(
                Kind::Invalid,
                format!("precision {text:?} is not known; {accepted} is accepted"),
            ));
        }
    })
}

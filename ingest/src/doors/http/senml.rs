//! SenML packs (RFC 8428) by POST: to `/senml` for all datasets, or to a dataset's own door.

use super::Door;
use super::readings::told;
use crate::Outcome;
use crate::decode::points::{Format, Names};
use crate::decode::senml::{self, Pack};
use crate::doors::listener::gate::May;
use access::{Kind, Problem};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::response::IntoResponse;
use hashbrown::HashMap;
use schemas::source::Decoder;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The media type of a pack in JSON (RFC 8428, section 12.3.1).
pub(super) const TYPE: &str = "application/senml+json";
/// Sets of routes whose names are remembered: one per dataset, and per combination of datasets that keys are for.
const SETS: usize = 64;

/// What names mean, by the routes they are read for.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<Vec<usize>, Names>>);

/// `POST /senml`.
pub(super) async fn post(State(door): State<Arc<Door>>, request: Request) -> Response<Body> {
    let may = match door.admit(&request, None) {
        Ok(may) => may,
        Err(problem) => return problem.into_response(),
    };
    // What a key may not write is no name it can send: it learns nothing of other datasets.
    let routes = door.packs(|dataset| match &may {
        May::All => true,
        May::Only(datasets) => datasets.iter().any(|allowed| allowed == dataset),
    });
    if routes.is_empty() {
        let detail = "no contract takes SenML here: a [[source]] needs `senml`, and the key its dataset's scope";
        return Problem::new(Kind::NotFound, detail).into_response();
    }
    door.answer_pack(routes, request).await
}

impl Door {
    /// Routes of packs of the datasets that are wanted.
    pub(super) fn packs(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let catalog = self.parts.intake.catalog();
        let takes = |route: &usize| {
            matches!(catalog.source(*route).decoder, Decoder::Senml(_))
                && wanted(&catalog.datasets[catalog.routes[*route].dataset].id)
        };
        (0..catalog.routes.len()).filter(takes).collect()
    }

    /// Takes a pack for some routes, and tells what became of it.
    pub(super) async fn answer_pack(&self, routes: Vec<usize>, request: Request) -> Response<Body> {
        let began = Instant::now();
        match self.take_pack(routes, request).await {
            Ok(outcome) => {
                self.metrics.acked.inc();
                self.metrics.ack_duration.0.count(began.elapsed(), 1);
                told(&[(0, outcome)])
            }
            Err(problem) => problem.into_response(),
        }
    }

    async fn take_pack(&self, routes: Vec<usize>, request: Request) -> Result<Outcome, Problem> {
        let topic = request.uri().path().to_owned();
        let received = self.bodies.receive(request, &self.parts.limits).await?;
        let (intake, body) = (&self.parts.intake, received.text.clone());
        self.metrics.messages.inc();
        self.metrics.bytes.inc_by(body.len() as u64);
        let mut names = self.known.take(&routes).unwrap_or_else(|| {
            let most = self.parts.config.max_names;
            Names::new(intake.catalog().clone(), Format::Senml, routes.clone(), most)
        });
        let pack = Pack { topic: &topic, body: body.clone(), now: intake.now(), retained: false };
        let (parcel, _) = senml::read(&mut names, &pack);
        self.known.put(routes, names);
        let room = self.room(parcel.weight()).await?;
        let mut outcome = self.durable(intake.ask_parcel(room, parcel)).await?;
        if outcome.refused > 0 {
            let places = senml::places(&body);
            for refused in &mut outcome.told {
                refused.at = places.partition_point(|&place| place < refused.at) as u32;
            }
        }
        Ok(outcome)
    }
}

impl Known {
    fn take(&self, routes: &[usize]) -> Option<Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(routes)
    }

    fn put(&self, routes: Vec<usize>, names: Names) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SETS {
            known.clear();
        }
        known.insert(routes, names);
    }
}

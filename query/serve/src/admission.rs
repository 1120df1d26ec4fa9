//! Who asks, and whether they may go on: the caller's key is read, and a unit of its budget taken, before anything else.

use crate::api::Api;
use access::{Budget, Caller, Kind, Origin, Peer, Place, Problem, Standing, Wait};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use jiff::Timestamp;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// Time of one core that a unit stands for.
const UNIT: Duration = Duration::from_millis(10);

/// Fields of draft-ietf-httpapi-ratelimit-headers-10.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Lets a request in if its key is good and its caller has not used up its budget.
pub(crate) async fn admitted(State(api): State<Api>, mut request: Request, next: Next) -> Response<Body> {
    // A preflight never has a key, and asks for nothing.
    if request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let budget = &api.parts.admission.budget;
    let caller = match identified(&api, &request) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if let Err(wait) = budget.take(&caller, 1) {
        return marked(spent(wait).into_response(), Some(wait.standing));
    }
    request.extensions_mut().insert(caller.clone());
    let response = next.run(request).await;
    marked(response, budget.standing(&caller))
}

/// The caller of a request, unless it shows a key that is not good.
fn identified(api: &Api, request: &Request) -> Result<Caller, Problem> {
    let peer = request.extensions().get::<Peer>().copied();
    let ring = api.parts.admission.keys.now();
    Caller::identify(peer, request.headers(), &ring, Timestamp::now()).map_err(|refusal| {
        let address = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |Peer(address)| address.ip());
        api.metrics.refused_keys.inc();
        match api.parts.admission.budget.wrong_key(Origin::of(address)) {
            Ok(()) => {
                // Within the bound, so that nobody fills the log by showing keys.
                tracing::warn!(%address, ?refusal, "a key was refused");
                Problem::new(Kind::Unauthorized, refusal.told())
            }
            Err(wait) => {
                let detail = "too many keys that are not good came from this address; show a good one later";
                Problem::new(Kind::Spent, detail).retry_in(wait.seconds.unwrap_or(60))
            }
        }
    })
}

/// What a caller is told whose budget is used up.
fn spent(wait: Wait) -> Problem {
    let Standing { quota, .. } = wait.standing;
    let seconds = wait.seconds.unwrap_or(wait.standing.full_in).max(1);
    let detail = format!("the budget of {quota} cost units a minute is used up; ask again in {seconds} s");
    Problem::new(Kind::Spent, detail).retry_in(seconds)
}

/// Tells a caller how it stands.
fn marked(mut response: Response<Body>, standing: Option<Standing>) -> Response<Body> {
    if let Some(Standing { policy, quota, left, full_in }) = standing {
        mark(response.headers_mut(), POLICY, &format!("\"{policy}\";q={quota};w=60"));
        mark(response.headers_mut(), LIMIT, &format!("\"{policy}\";r={left};t={full_in}"));
    }
    response
}

fn mark(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Work for a caller: one of the few it may have at once, and paid for by its time when it is done.
#[derive(Debug)]
pub(crate) struct Bill {
    budget: Arc<Budget>,
    caller: Caller,
    _place: Place,
}

impl Bill {
    /// A bill for work that begins and counts as `weight` questions, unless the caller has as much at work as it may.
    pub(crate) fn new(api: &Api, caller: &Caller, weight: u32) -> Result<Bill, Problem> {
        let budget = api.parts.admission.budget.clone();
        let Some(place) = budget.enter(caller, weight) else {
            let detail = "as many questions of this caller are at work as it may have; ask again when one is answered";
            return Err(Problem::new(Kind::Spent, detail).retry_in(1));
        };
        Ok(Bill { budget, caller: caller.clone(), _place: place })
    }

    /// Pays for so much time of one core.
    pub(crate) fn pay(self, took: Duration) {
        let units = took.as_micros() / UNIT.as_micros();
        self.budget.settle(&self.caller, u32::try_from(units).unwrap_or(u32::MAX));
    }
}

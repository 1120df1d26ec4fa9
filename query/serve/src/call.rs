//! One request to an endpoint that answers a question, and how it is answered.

use crate::admission::Bill;
use crate::api::Api;
use crate::error::problem;
use crate::etag;
use crate::format::Format;
use crate::parameter::Parameter;
use crate::params::Params;
use crate::render::page;
use access::{Caller, Origin, Problem, Right};
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use engine::{Answer, Question, Resolved};
use schemas::{Access, Dataset};
use std::convert::Infallible;
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// What an answer depends on beside its address.
pub(crate) const VARY: HeaderValue = HeaderValue::from_static("Accept, Authorization");

/// A request to the API.
pub(crate) struct Call {
    pub(crate) api: Api,
    pub(crate) caller: Caller,
    uri: Uri,
    headers: HeaderMap,
}

impl FromRequestParts<Api> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Call, Infallible> {
        Ok(Call { api: api.clone(), caller: caller(parts), uri: parts.uri.clone(), headers: parts.headers.clone() })
    }
}

/// Who sent a request. All that come this far were asked: nobody may be taken for more than anybody.
pub(crate) fn caller(parts: &Parts) -> Caller {
    let anybody = || Caller::Anonymous(Origin::of(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
    parts.extensions.get().cloned().unwrap_or_else(anybody)
}

/// The datasets a caller may read, all that it ever hears of.
fn visible(api: &Api, caller: &Caller) -> Vec<Arc<Dataset>> {
    let may = |dataset: &&Arc<Dataset>| dataset.access == Access::Public || caller.may(Right::Read, Some(&dataset.id));
    api.parts.engine.datasets().iter().filter(may).cloned().collect()
}

/// The dataset the path names. One that its caller may not read is as if it were not there.
pub(crate) struct Named(pub(crate) Arc<Dataset>);

impl FromRequestParts<Api> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Named, Problem> {
        let path = RawPathParams::from_request_parts(parts, api).await;
        let id = path
            .ok()
            .and_then(|path| path.into_iter().find(|(name, _)| *name == "dataset").map(|(_, id)| id.to_owned()));
        let id = id.unwrap_or_default();
        let visible = visible(api, &caller(parts));
        visible.iter().find(|dataset| *dataset.id == *id).cloned().map(Named).ok_or_else(|| {
            let accepted: Vec<String> = visible.iter().map(|dataset| dataset.id.to_string()).collect();
            problem(engine::Error::not_found("dataset", format!("there is no dataset {id:?}"), accepted))
        })
    }
}

impl Call {
    /// The request's parameters, of which its endpoint accepts these.
    pub(crate) fn params(&self, known: &[Parameter]) -> Params {
        Params::of(&self.uri, known)
    }

    /// The query of its address, as it stands there.
    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The media type of its body, in small letters; nothing where the caller does not say.
    pub(crate) fn content_type(&self) -> Option<String> {
        let value = self.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The datasets its caller may read.
    pub(crate) fn datasets(&self) -> Vec<Arc<Dataset>> {
        visible(&self.api, &self.caller)
    }

    /// What its caller pays by for work that counts as `weight` questions.
    pub(crate) fn bill(&self, weight: u32) -> Result<Bill, Problem> {
        Bill::new(&self.api, &self.caller, weight)
    }

    /// Who may keep an answer: what a key's holder is told is not for those behind the same cache.
    pub(crate) fn whose(&self) -> &'static str {
        if matches!(self.caller, Caller::Keyed(_)) { "private" } else { "public" }
    }

    /// Checks a question as its caller may ask it.
    pub(crate) fn resolve(&self, question: Question) -> Result<Resolved, Problem> {
        let cells = match self.caller {
            Caller::Anonymous(_) => self.api.parts.admission.anonymous_cells,
            _ => usize::MAX,
        };
        self.api.parts.engine.resolve_within(question, cells).map_err(problem)
    }

    /// Ends the reading of parameters: tells their faults, or the format to answer in.
    pub(crate) fn format(&self, mut params: Params) -> Result<Format, Problem> {
        let format = params.text("format");
        params.finish()?;
        Format::choose(format.as_deref(), &self.headers)
    }

    /// Answers a question: by 304 when the caller's copy is still good, which needs no data to be read.
    pub(crate) async fn answer(&self, question: Question, format: Format) -> Result<Response, Problem> {
        let engine = &self.api.parts.engine;
        let resolved = self.resolve(question)?;
        let tag = resolved.etag(format.name());
        let mut response = if etag::matches(&self.headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let (bill, pack) = (self.bill(1)?, move |answer: &Answer| Ok(page::pack(answer, format)));
            let kept = engine.body(&resolved, format.name(), pack, move |took| bill.pay(took));
            self.page(&kept.await.map_err(problem)?, format)
        };
        let headers = response.headers_mut();
        let max_age = format!("{}, max-age={}", self.whose(), resolved.max_age().as_secs());
        for (name, value) in [(header::ETAG, tag), (header::CACHE_CONTROL, max_age)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        headers.insert(header::VARY, VARY);
        Ok(response)
    }

    /// A kept page as response.
    fn page(&self, kept: &bytes::Bytes, format: Format) -> Response {
        let (cursor, body) = page::unpack(kept);
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, format.content_type());
        let link = cursor.map(|cursor| format!("<{}>; rel=\"next\"", self.at_cursor(cursor)));
        if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }

    /// This request's address with another cursor.
    fn at_cursor(&self, cursor: &str) -> String {
        let mut address = format!("{}?", self.uri.path());
        for pair in self.uri.query().unwrap_or_default().split('&') {
            if !pair.is_empty() && !pair.starts_with("cursor=") {
                address.push_str(pair);
                address.push('&');
            }
        }
        address.push_str("cursor=");
        for byte in cursor.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                address.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(address, "%{byte:02X}");
            }
        }
        address
    }
}

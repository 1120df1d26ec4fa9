//! One request to an endpoint that answers a question, and how it is answered.

use crate::api::Api;
use crate::error::problem;
use crate::etag;
use crate::format::Format;
use crate::parameter::Parameter;
use crate::params::Params;
use crate::render::page;
use access::Problem;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use engine::Question;
use schemas::{Access, Dataset};
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;

/// A request to the API.
pub(crate) struct Call {
    pub(crate) api: Api,
    uri: Uri,
    headers: HeaderMap,
}

impl FromRequestParts<Api> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Call, Infallible> {
        Ok(Call { api: api.clone(), uri: parts.uri.clone(), headers: parts.headers.clone() })
    }
}

/// The dataset the path names. Restricted ones are as if they were not there: nobody can show a key yet.
pub(crate) struct Named(pub(crate) Arc<Dataset>);

impl FromRequestParts<Api> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Named, Problem> {
        let path = RawPathParams::from_request_parts(parts, api).await;
        let id = path
            .ok()
            .and_then(|path| path.into_iter().find(|(name, _)| *name == "dataset").map(|(_, id)| id.to_owned()));
        let id = id.unwrap_or_default();
        let public = || api.parts.engine.datasets().iter().filter(|dataset| dataset.access == Access::Public);
        public().find(|dataset| *dataset.id == *id).cloned().map(Named).ok_or_else(|| {
            let accepted: Vec<String> = public().map(|dataset| dataset.id.to_string()).collect();
            problem(engine::Error::not_found("dataset", format!("there is no dataset {id:?}"), accepted))
        })
    }
}

impl Call {
    /// The request's parameters, of which its endpoint accepts these.
    pub(crate) fn params(&self, known: &[Parameter]) -> Params {
        Params::of(&self.uri, known)
    }

    /// The media type of its body, in small letters; nothing where the caller does not say.
    pub(crate) fn content_type(&self) -> Option<String> {
        let value = self.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The datasets its caller may read. Restricted ones are as if they were not there: nobody can show a key yet.
    pub(crate) fn datasets(&self) -> Vec<Arc<Dataset>> {
        let all = self.api.parts.engine.datasets().iter();
        all.filter(|dataset| dataset.access == Access::Public).cloned().collect()
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
        let resolved = engine.resolve(question).map_err(problem)?;
        let tag = resolved.etag(format.name());
        let mut response = if etag::matches(&self.headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kept = engine.body(&resolved, format.name(), move |answer| Ok(page::pack(answer, format)));
            self.page(&kept.await.map_err(problem)?, format)
        };
        let headers = response.headers_mut();
        let max_age = format!("public, max-age={}", resolved.max_age().as_secs());
        for (name, value) in [(header::ETAG, tag), (header::CACHE_CONTROL, max_age)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
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

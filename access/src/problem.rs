//! What callers are told when something is wrong: RFC 9457 `application/problem+json`.

use crate::Kind;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;

/// One parameter that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Its name, as the caller wrote it.
    pub parameter: String,
    /// What is wrong with it.
    pub detail: String,
    /// What would be right, for people and programs: names, values or patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

/// An error as callers see it. Says what was wrong and what would be right, and nothing of the server's inside.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Its kind decides status, type and title.
    pub kind: Kind,
    /// This occurrence, for people.
    pub detail: String,
    /// The parameters at fault.
    pub errors: Vec<Fault>,
    /// Methods the path takes, when the method was at fault: the value of `Allow`.
    pub allow: Option<&'static str>,
    /// Seconds after which the same will be granted, where that is known better than from the kind.
    pub retry: Option<u32>,
}

/// The members of the document, in the order of RFC 9457 section 3.1.
#[derive(serde::Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl Problem {
    /// A problem without parameters at fault.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), errors: Vec::new(), allow: None, retry: None }
    }

    /// A parameter is wrong; `accepted` is what would be right.
    pub fn parameter(
        parameter: impl Into<String>,
        detail: impl Into<String>,
        accepted: impl IntoIterator<Item = impl Into<String>>,
    ) -> Problem {
        let fault = Fault {
            parameter: parameter.into(),
            detail: detail.into(),
            accepted: accepted.into_iter().map(Into::into).collect(),
        };
        Problem::faults(vec![fault])
    }

    /// Several parameters are wrong; they are all told at once.
    pub fn faults(errors: Vec<Fault>) -> Problem {
        let detail = errors.iter().map(|fault| fault.detail.as_str()).collect::<Vec<_>>().join("; ");
        Problem { kind: Kind::Invalid, detail, errors, allow: None, retry: None }
    }

    /// A method the path does not take; `allow` lists those it does.
    pub fn method(allow: &'static str) -> Problem {
        Problem { allow: Some(allow), ..Problem::new(Kind::Method, format!("this path takes {allow} only")) }
    }

    /// The same problem, which passes after so many seconds.
    pub fn retry_in(self, seconds: u32) -> Problem {
        Problem { retry: Some(seconds), ..self }
    }

    /// The same problem under another kind.
    pub fn with_kind(self, kind: Kind) -> Problem {
        Problem { kind, ..self }
    }

    /// The document as JSON. `instance` is the path and query it happened at.
    pub fn json(&self, instance: Option<&str>) -> Vec<u8> {
        let wire = self.kind.wire();
        let document = Document {
            r#type: format!("/docs/problems/{}", wire.slug),
            title: wire.title,
            status: wire.status.as_u16(),
            detail: &self.detail,
            instance,
            errors: &self.errors,
        };
        // Strings and numbers only: writing them cannot fail.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The response. The problem itself travels in its extensions, so that a layer which knows the address can add it.
    pub fn response(self, instance: Option<&str>) -> Response<Body> {
        let mut response = Response::new(Body::from(self.json(instance)));
        *response.status_mut() = self.kind.wire().status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry.or(self.kind.retry_after()) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lamppost\""));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        self.response(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_at_fault_is_named_with_what_is_accepted() {
        let problem = Problem::parameter("bucket", "bucket=\"x\" is not a width", ["15m", "day"]);
        let text = String::from_utf8(problem.json(Some("/api/v1/x?bucket=x"))).unwrap_or_default();
        assert_eq!(
            text,
            r#"{"type":"/docs/problems/invalid-parameter","title":"A parameter is wrong","status":400,"detail":"bucket=\"x\" is not a width","instance":"/api/v1/x?bucket=x","errors":[{"parameter":"bucket","detail":"bucket=\"x\" is not a width","accepted":["15m","day"]}]}"#
        );
    }

    #[test]
    fn the_response_carries_what_its_kind_asks_for() {
        let busy = Problem::new(Kind::Busy, "too many questions").into_response();
        assert_eq!(busy.status(), 503);
        assert_eq!(busy.headers()[header::RETRY_AFTER], "1");
        let method = Problem::method("GET, HEAD").into_response();
        assert_eq!(method.status(), 405);
        assert_eq!(method.headers()[header::ALLOW], "GET, HEAD");
        assert_eq!(method.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}

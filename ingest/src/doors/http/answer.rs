//! Answers in the forms that clients of each API expect.

use super::ping::VERSION;
use crate::Outcome;
use access::{Kind, Problem};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;
use std::fmt::Write;

/// Which of InfluxDB's APIs is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// `/write` of version 1.
    First,
    /// `/api/v2/write` of version 2.
    Second,
}

/// Refusals that an answer names.
const NAMED: usize = 5;

impl Api {
    /// All was taken.
    pub(super) fn taken(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(VERSION.0, VERSION.1);
        response
    }

    /// Nothing was taken, for this problem.
    pub(super) fn problem(self, problem: Problem) -> Response<Body> {
        let (kind, detail) = (problem.kind, problem.detail.clone());
        let body = match self {
            Api::First => json!({ "error": detail }),
            Api::Second => json!({ "code": code(kind), "message": detail }),
        };
        let mut response = problem.response(None);
        response.extensions_mut().remove::<Problem>();
        *response.body_mut() = format!("{body}\n").into();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(VERSION.0, VERSION.1);
        // Of a body that was not read to its end no more is.
        if matches!(kind, Kind::TooLarge | Kind::Slow | Kind::Encoding | Kind::Busy) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        // Version 1 tells it in a header too, which some of its clients read instead.
        if let (Api::First, Ok(error)) =
            (self, HeaderValue::from_str(&detail.replace(|c: char| !(' '..='~').contains(&c), "?")))
        {
            headers.insert(HeaderName::from_static("x-influxdb-error"), error);
        }
        response
    }

    /// Some of it was refused, all that is right was taken. `body` is the text that was read.
    pub(super) fn partial(self, outcome: &Outcome, body: &[u8]) -> Response<Body> {
        // Of these words Telegraf knows that sending it again is of no use.
        let mut detail = String::from("partial write: ");
        if outcome.taken == 0 {
            detail.push_str("nothing of it: ");
        }
        for refused in outcome.told.iter().take(NAMED) {
            let before = &body[..(refused.at as usize).min(body.len())];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            let _ = write!(detail, "line {line}: {}; ", refused.refusal.detail);
        }
        if outcome.refused > NAMED as u64 {
            let _ = write!(detail, "and {} more; ", outcome.refused - NAMED as u64);
        }
        let _ = write!(detail, "dropped={}", outcome.refused);
        self.problem(Problem::new(Kind::Invalid, detail))
    }
}

/// The word of version 2 for a kind of problem.
fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Unauthorized => "unauthorized",
        Kind::Forbidden => "forbidden",
        Kind::NotFound => "not found",
        Kind::TooLarge => "request too large",
        Kind::Encoding => "unsupported media type",
        Kind::Spent => "too many requests",
        Kind::Busy | Kind::Full | Kind::Closed | Kind::Timeout => "unavailable",
        _ => "internal error",
    }
}

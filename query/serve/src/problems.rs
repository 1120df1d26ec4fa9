//! Paths and methods that do not exist, and a page for each kind of problem: where a problem's `type` leads.

use crate::onion::ALLOWED;
use access::{Kind, Problem};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

/// No such path.
pub(crate) async fn no_such_path(uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("there is nothing at {}; /api/v1 lists what there is", uri.path()))
}

/// No such method on this path.
pub(crate) async fn no_such_method() -> Problem {
    Problem::method(ALLOWED)
}

/// What one kind of problem means, as plain text.
pub(crate) async fn get(slug: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let found = Kind::ALL.into_iter().find(|kind| slug.as_ref().is_ok_and(|slug| kind.wire().slug == slug.as_str()));
    let Some(kind) = found else {
        let known = Kind::ALL.map(|kind| kind.wire().slug).join(", ");
        return Err(Problem::new(Kind::NotFound, format!("there is no such problem; there are {known}")));
    };
    let wire = kind.wire();
    let text = format!(
        "{}\n\n{}\n\nHTTP {}, SQLSTATE {}, gRPC code {}\n",
        wire.title,
        kind.advice(),
        wire.status.as_u16(),
        wire.sqlstate,
        wire.grpc
    );
    let plain = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(([plain], text).into_response())
}

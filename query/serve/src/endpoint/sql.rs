//! `/sql`: questions in SQL over all datasets, by GET or POST.

use crate::api::Api;
use crate::call::{Call, VARY};
use crate::error::problem;
use crate::format::Format;
use crate::parameter::{FORMAT, Parameter, SQL};
use crate::params::Params;
use crate::render;
use access::{Kind, Problem};
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use bytes::Bytes;
use engine::sql;

pub(crate) const PARAMETERS: &[Parameter] = &[FORMAT, SQL];

/// What a question in SQL counts as among those its caller has at work: workers are few.
const WEIGHT: u32 = 4;

/// The methods of this path.
const ALLOWED: &str = "GET, HEAD, POST, OPTIONS";

/// Media types the text may come as in a body.
const TAKEN: [&str; 4] = ["application/sql", "text/plain", "application/json", "application/x-www-form-urlencoded"];

/// The path's methods and what each does.
pub(crate) fn methods() -> MethodRouter<Api> {
    let options = async || (StatusCode::NO_CONTENT, [(header::ALLOW, HeaderValue::from_static(ALLOWED))]);
    get(by_get).post(by_post).options(options).fallback(async || Problem::method(ALLOWED))
}

async fn by_get(call: Call) -> Result<Response, Problem> {
    let mut params = call.params(PARAMETERS);
    let text = params.text("q");
    let format = call.format(params)?;
    answer(&call, text, format).await
}

async fn by_post(call: Call, body: Result<Bytes, BytesRejection>) -> Result<Response, Problem> {
    let body = body.map_err(unread)?;
    let (text, params) = match call.content_type().as_deref() {
        None | Some("application/sql" | "text/plain") => (Some(plain(&body)?), call.params(&[FORMAT])),
        Some("application/json") => (Some(member(&body)?), call.params(&[FORMAT])),
        Some("application/x-www-form-urlencoded") => {
            // What stands in the address counts as well.
            let sent = [call.query().as_bytes(), &body].join(&b'&');
            let mut params = Params::of(&form(&sent)?, PARAMETERS);
            (params.text("q"), params)
        }
        Some(other) => {
            return Err(Problem::parameter("Content-Type", format!("{other:?} is not taken here"), TAKEN));
        }
    };
    let format = call.format(params)?;
    answer(&call, text, format).await
}

/// Answers a question once it is whole: a failure that comes late is still told as one.
async fn answer(call: &Call, text: Option<String>, format: Format) -> Result<Response, Problem> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Err(Problem::parameter("q", "there is no question", ["SELECT * FROM datasets"]));
    };
    let written = match format {
        Format::Json => sql::Format::Json,
        Format::Csv => sql::Format::Csv,
    };
    let question = sql::Question { text, format: written, datasets: call.datasets() };
    let bill = call.bill(WEIGHT)?;
    let answer = call.api.parts.sql.ask(question, move |took| bill.pay(took)).await.map_err(problem)?;
    let body = match format {
        Format::Json => render::sql::json(&answer),
        Format::Csv => answer.body,
    };
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, format.content_type());
    // Nothing tells when an answer changes: a question may name any table, and the clock.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, VARY);
    Ok(response)
}

/// A body that did not come whole.
fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, "the body is larger than this server takes"),
        _ => Problem::new(Kind::Invalid, "the body did not come whole"),
    }
}

/// The body as text.
fn plain(body: &Bytes) -> Result<String, Problem> {
    String::from_utf8(body.to_vec()).map_err(|_| Problem::parameter("q", "the body is not UTF-8", ["text in UTF-8"]))
}

/// The text in a JSON object.
fn member(body: &Bytes) -> Result<String, Problem> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        #[serde(alias = "q")]
        query: String,
    }
    let wrong = |error| Problem::parameter("q", format!("the body: {error}"), [r#"{"query": "SELECT 1"}"#]);
    serde_json::from_slice(body).map(|Sent { query }| query).map_err(wrong)
}

/// The pairs of a form, as if they stood in an address.
fn form(body: &[u8]) -> Result<Uri, Problem> {
    // Some clients send it as it was typed; in an address a space ends it, and a # begins what is no part of it.
    let text = String::from_utf8_lossy(body).replace(' ', "+").replace('#', "%23");
    let address = format!("/?{text}");
    let wrong = |_| Problem::parameter("q", "the body is not a form", ["q=SELECT+1", "Content-Type: application/sql"]);
    Uri::try_from(address).map_err(wrong)
}

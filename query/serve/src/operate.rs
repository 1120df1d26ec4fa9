//! `/operate/…`: what operators have the running server do, by POST with a JSON object. The server's owner does the work.
//!
//! Only JSON is taken: a page elsewhere that a browser on the server's own machine was led to cannot send that unasked.

use crate::call::Call;
use crate::probe::document;
use access::{Caller, Kind, Problem, Right};
use axum::extract::Path;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use std::pin::Pin;
use std::sync::Arc;

/// What an operator has the server do.
#[derive(Clone, Debug)]
pub struct Order {
    /// The last part of the path: which act.
    pub act: String,
    /// The object that was sent.
    pub words: Value,
    /// On whose word, for the audit log.
    pub who: String,
}

/// An order under way.
pub type Doing = Pin<Box<dyn Future<Output = Result<Value, Problem>> + Send>>;

/// Does what operators order, and answers with an object.
pub type Operate = Arc<dyn Fn(Order) -> Doing + Send + Sync>;

/// Does an order.
pub(crate) async fn post(
    Path(act): Path<String>,
    call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if !call.caller.may(Right::Operate, None) {
        return Err(call.caller.lacks(Right::Operate, "operating the server from elsewhere"));
    }
    if call.content_type().as_deref() != Some("application/json") {
        return Err(Problem::parameter("Content-Type", "an order is sent as JSON", ["application/json"]));
    }
    let body = body.map_err(|_| Problem::new(Kind::Invalid, "the body did not come whole"))?;
    let words = serde_json::from_slice(&body)
        .map_err(|e| Problem::new(Kind::Invalid, format!("the body is not a JSON object: {e}")))?;
    let who = who(&call.caller);
    let answer = (call.api.parts.operate)(Order { act, words, who }).await?;
    Ok(document(StatusCode::OK, &answer))
}

/// A caller's name in the audit log.
fn who(caller: &Caller) -> String {
    match caller {
        Caller::Keyed(key) => format!("key {} ({})", key.id, key.name),
        _ => "this machine".to_owned(),
    }
}

//! Bodies as they come: received within bounds, inflated within bounds.

use super::Config;
use access::{Incoming, Kind, Limits, Problem};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is allocated at once for a body, whatever size it claims to have.
const CLAIM: usize = 1 << 20;

/// Memory for bodies.
#[derive(Debug)]
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    most: usize,
}

/// A body that has come whole, and its share of the memory.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) text: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new(config: &Config) -> Bodies {
        let bytes = config.memory_bytes.clamp(1, u32::MAX as usize >> 3);
        Bodies { room: Arc::new(Semaphore::new(bytes)), most: config.body_bytes.min(bytes) }
    }

    /// Receives a request's body, and inflates it.
    pub(super) async fn receive(&self, request: Request, limits: &Limits) -> Result<Body, Problem> {
        let gzip = is_gzip(request.headers())?;
        let claimed = length(request.headers());
        if claimed.is_some_and(|claimed| claimed > self.most) {
            return Err(too_large(self.most));
        }
        let mut incoming = Incoming::new(request, limits, self.most);
        let mut room = None;
        let Some(first) = self.next(&mut incoming, &mut room).await? else {
            return Ok(Body { text: Bytes::new(), _room: None });
        };
        let text = match claimed {
            // All of it at once, as a small body comes.
            Some(claimed) if claimed == first.len() => first,
            _ => {
                let mut text = Vec::with_capacity(claimed.unwrap_or(first.len() * 2).min(CLAIM));
                text.extend_from_slice(&first);
                while let Some(more) = self.next(&mut incoming, &mut room).await? {
                    text.extend_from_slice(&more);
                }
                text.into()
            }
        };
        if !gzip {
            return Ok(Body { text, _room: room });
        }
        let inflated = self.inflate(&text)?;
        let more = self.take(inflated.len())?;
        Ok(Body { text: inflated.into(), _room: join(room, more) })
    }

    /// The next bytes, for which there is memory.
    async fn next(
        &self,
        incoming: &mut Incoming,
        room: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<Option<Bytes>, Problem> {
        let Some(bytes) = incoming.next().await? else { return Ok(None) };
        *room = join(room.take(), self.take(bytes.len())?);
        Ok(Some(bytes))
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let full = |_| Problem::new(Kind::Busy, "as many bytes of readings are under way as there is memory for");
        self.room.clone().try_acquire_many_owned(bytes).map_err(full)
    }

    /// The text of a gzip stream.
    fn inflate(&self, packed: &[u8]) -> Result<Vec<u8>, Problem> {
        // The last four bytes claim the size of it (RFC 1952, section 2.3.1).
        let claim = packed.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
        let mut text = Vec::with_capacity(claim.min(self.most).min(packed.len().saturating_mul(32)) + 1);
        let mut stream = MultiGzDecoder::new(packed).take(self.most as u64 + 1);
        stream.read_to_end(&mut text).map_err(|error| {
            let detail = format!("the body cannot be inflated ({error}); send gzip as Content-Encoding says");
            Problem::new(Kind::Invalid, detail)
        })?;
        if text.len() > self.most { Err(too_large(self.most)) } else { Ok(text) }
    }
}

fn join(room: Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) -> Option<OwnedSemaphorePermit> {
    match room {
        Some(mut room) => {
            room.merge(more);
            Some(room)
        }
        None => Some(more),
    }
}

fn too_large(most: usize) -> Problem {
    let detail = format!("the body has more than {most} bytes; send it in parts, or raise write.bytes of the config");
    Problem::new(Kind::TooLarge, detail)
}

/// The length that the head tells.
fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the body is packed.
fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else { return Ok(false) };
    let is = |name: &str| encoding.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    // `x-gzip` is the same (RFC 9110, section 8.4.1.3).
    if is("gzip") || is("x-gzip") {
        return Ok(true);
    }
    match is("identity") || encoding.is_empty() {
        true => Ok(false),
        false => {
            let detail = format!("Content-Encoding {encoding:?} is not taken; send gzip, or the body as it is");
            Err(Problem::new(Kind::Encoding, detail))
        }
    }
}

//! Bodies that keep to their bounds: a request's in bytes and time; a response's tells when it is done.

use crate::presence::{Presence, UnderWay};
use crate::{Kind, Limits, Problem};
use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// What became of a request's body, for whoever answers the request: why it ended before its time, if it did.
pub(crate) type Fate = Arc<OnceLock<Problem>>;

/// How long a body may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Without a byte.
    pause: Duration,
    /// As a whole.
    whole: Duration,
}

impl Pace {
    /// The pace these limits ask for.
    pub(crate) fn new(limits: &Limits) -> Pace {
        Pace { pause: limits.pause, whole: limits.body }
    }
}

/// A request's body within bounds. Past them it ends with an error, and its fate tells why.
pub(crate) struct Bounded {
    body: Body,
    most: usize,
    left: usize,
    fate: Fate,
    /// Nothing for a body that comes out of another one, which has its own.
    pace: Option<(Pace, Instant)>,
    presence: Option<Presence>,
    /// Runs while the next bytes are waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Bounded {
    /// A body as it comes from the caller, of at most `most` bytes.
    pub(crate) fn sent(body: Body, most: usize, pace: Pace, presence: Option<Presence>, fate: Fate) -> Bounded {
        Bounded { body, most, left: most, fate, pace: Some((pace, Instant::now() + pace.whole)), presence, timer: None }
    }

    /// A body that was inflated, of at most `most` bytes.
    pub(crate) fn inflated(body: Body, most: usize, fate: Fate) -> Bounded {
        Bounded { body, most, left: most, fate, pace: None, presence: None, timer: None }
    }

    /// Ends the body.
    fn end(&self, kind: Kind, detail: String) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let _ = self.fate.set(Problem::new(kind, detail.clone()));
        Poll::Ready(Some(Err(detail.into())))
    }

    /// Waits for more, as long as the pace allows.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some((pace, whole)) = self.pace else { return Poll::Pending };
        if let Some(presence) = &self.presence {
            presence.stalls();
        }
        let until = whole.min(Instant::now() + pace.pause);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let (pause, whole) = (pace.pause.as_secs_f64(), pace.whole.as_secs_f64());
        self.end(
            Kind::Slow,
            format!("the body did not come: {pause} s may pass without a byte of it, {whole} s in all"),
        )
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Pending => return self.wait(context),
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => {
                return self.end(Kind::Invalid, format!("the body cannot be read: {error}"));
            }
            Poll::Ready(None) => return Poll::Ready(None),
        };
        self.timer = None;
        if let Some(presence) = &self.presence {
            presence.moves();
        }
        let came = frame.data_ref().map_or(0, Bytes::len);
        match self.left.checked_sub(came) {
            Some(left) => self.left = left,
            None => return self.end(Kind::TooLarge, too_large(self.most)),
        }
        match self.pace {
            Some((pace, whole)) if Instant::now() > whole => {
                let seconds = pace.whole.as_secs_f64();
                self.end(Kind::Slow, format!("the body did not come within {seconds} s"))
            }
            _ => Poll::Ready(Some(Ok(frame))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request's body that an endpoint reads by itself, frame by frame, held to its bounds.
pub struct Incoming {
    body: Bounded,
    fate: Fate,
}

impl Incoming {
    /// The body of a request, of at most `most` bytes, at the pace of `limits`.
    pub fn new(request: Request, limits: &Limits, most: usize) -> Incoming {
        let presence = request.extensions().get::<Presence>().cloned();
        let fate = Fate::default();
        let body = Bounded::sent(request.into_body(), most, Pace::new(limits), presence, fate.clone());
        Incoming { body, fate }
    }

    /// The bytes that come next; nothing at its end. After an error the rest of it is not read.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            match poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
                None => return Ok(None),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    Err(_) => continue, // trailers
                },
                Some(Err(error)) => {
                    let unknown = || Problem::new(Kind::Invalid, format!("the body cannot be read: {error}"));
                    return Err(self.fate.get().cloned().unwrap_or_else(unknown));
                }
            }
        }
    }
}

/// What the sender of a body past its bound is told.
pub(crate) fn too_large(most: usize) -> String {
    format!("the body has more than {most} bytes")
}

/// Bytes of an answer handed to the connection at a time: a whole large one would be taken at once, sent or not.
const PIECE: usize = 64 << 10;

/// A response's body that comes in pieces and holds its request open until the last of them is taken.
pub(crate) struct Answering {
    body: Body,
    /// What is left of the frame that came last.
    rest: Bytes,
    _under_way: UnderWay,
}

impl Answering {
    /// The body of an answer to a request under way.
    pub(crate) fn new(body: Body, under_way: UnderWay) -> Answering {
        Answering { body, rest: Bytes::new(), _under_way: under_way }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower() + rest);
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole
    }
}

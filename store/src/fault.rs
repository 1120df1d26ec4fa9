//! An object store for tests that fails when told to: before a write, or after it has been applied.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path as Place;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use std::sync::{Arc, Mutex};

/// What is asked of the store, as far as faults tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Any put.
    Put,
    /// Any get.
    Get,
    /// Any delete.
    Delete,
    /// Any listing.
    List,
    /// Any copy.
    Copy,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing was done.
    Before,
    /// It was done, and an error is answered.
    After,
    /// It was done, but a second attempt was made below and met the first: `AlreadyExists`.
    Twice,
    /// It is never answered, and not done: for callers that give up.
    Hang,
    /// It waits for [`Faulty::release`], then is done.
    Hold,
}

#[derive(Debug)]
struct Plan {
    call: Call,
    part: String,
    skip: u64,
    times: u64,
    fault: Fault,
}

/// Wraps a store; without plans it only counts.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    plans: Arc<Mutex<Vec<Plan>>>,
    calls: Arc<Mutex<Vec<(Call, String)>>>,
    gate: Arc<tokio::sync::Notify>,
}

impl Faulty {
    /// Wraps a store.
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Faulty {
        Faulty { inner, plans: Arc::default(), calls: Arc::default(), gate: Arc::default() }
    }

    /// After `skip` calls of that sort on places that contain `part`, the next `times` go wrong so.
    pub(crate) fn plan(&self, call: Call, part: &str, skip: u64, times: u64, fault: Fault) {
        self.plans.lock().unwrap().push(Plan { call, part: part.to_owned(), skip, times, fault });
    }

    /// Forgets what was planned.
    pub(crate) fn heal(&self) {
        self.plans.lock().unwrap().clear();
    }

    /// Lets a call that is held go on.
    pub(crate) fn release(&self) {
        self.gate.notify_one();
    }

    /// Every call so far, with its place.
    pub(crate) fn calls(&self) -> Vec<(Call, String)> {
        self.calls.lock().unwrap().clone()
    }

    /// The fault this call meets, if any.
    fn meet(&self, call: Call, place: &str) -> Option<Fault> {
        self.calls.lock().unwrap().push((call, place.to_owned()));
        for plan in self.plans.lock().unwrap().iter_mut().filter(|p| p.call == call && place.contains(&p.part)) {
            if plan.skip > 0 {
                plan.skip -= 1;
            } else if plan.times > 0 {
                plan.times -= 1;
                return Some(plan.fault);
            }
        }
        None
    }

    /// Does `work` with the fault this call meets.
    async fn run<T>(&self, call: Call, place: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.meet(call, place) {
            None => work.await,
            Some(Fault::Before) => Err(broken(call, place)),
            Some(Fault::After) => work.await.and(Err(broken(call, place))),
            Some(Fault::Twice) => work
                .await
                .and(Err(object_store::Error::AlreadyExists { path: place.to_owned(), source: "planned".into() })),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Hold) => {
                self.gate.notified().await;
                work.await
            }
        }
    }
}

fn broken(call: Call, place: &str) -> object_store::Error {
    object_store::Error::Generic { store: "faulty", source: format!("planned fault of {call:?} {place}").into() }
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Place, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.run(Call::Put, location.as_ref(), self.inner.put_opts(location, payload, opts)).await
    }

    async fn put_multipart_opts(&self, to: &Place, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.run(Call::Put, to.as_ref(), self.inner.put_multipart_opts(to, opts)).await
    }

    async fn get_opts(&self, location: &Place, options: GetOptions) -> Result<GetResult> {
        self.run(Call::Get, location.as_ref(), self.inner.get_opts(location, options)).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Place>>) -> BoxStream<'static, Result<Place>> {
        let this = self.clone();
        let delete = move |place: Result<Place>| {
            let this = this.clone();
            async move {
                let place = place?;
                let one = futures::stream::once(futures::future::ready(Ok(place.clone()))).boxed();
                let mut gone = this.inner.delete_stream(one);
                let work = async move { gone.next().await.unwrap_or(Ok(Place::default())) };
                this.run(Call::Delete, place.as_ref(), work).await
            }
        };
        locations.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Place>) -> BoxStream<'static, Result<ObjectMeta>> {
        let place = prefix.map(ToString::to_string).unwrap_or_default();
        match self.meet(Call::List, &place) {
            None => self.inner.list(prefix),
            Some(_) => futures::stream::once(async move { Err(broken(Call::List, &place)) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Place>) -> Result<ListResult> {
        let place = prefix.map(ToString::to_string).unwrap_or_default();
        self.run(Call::List, &place, self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Place, to: &Place, options: CopyOptions) -> Result<()> {
        self.run(Call::Copy, to.as_ref(), self.inner.copy_opts(from, to, options)).await
    }
}

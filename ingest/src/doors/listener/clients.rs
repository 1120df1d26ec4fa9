//! Who is connected under which client id: a second connection with one id ends the first (MQTT 3.1.4).

use hashbrown::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The connections by client id. Bounded by the listener's cap on connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    open: Arc<Mutex<HashMap<String, Holder>>>,
}

/// Who holds a place: the connection's number, and how it is told that another took it.
type Holder = (u64, oneshot::Sender<()>);

/// A connection's place among the clients; gives it up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    clients: Clients,
    id: String,
    number: u64,
    taken: oneshot::Receiver<()>,
}

impl Clients {
    /// Takes the place of a client id; whoever had it is told.
    pub(super) fn enter(&self, id: String, number: u64) -> Place {
        let (tell, taken) = oneshot::channel();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, before)) = open.insert(id.clone(), (number, tell)) {
            let _ = before.send(());
        }
        drop(open);
        Place { clients: self.clone(), id, number, taken }
    }
}

impl Place {
    /// Ready when another connection has taken the place.
    pub(super) async fn taken(&mut self) {
        let _ = (&mut self.taken).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.clients.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            open.remove(&self.id);
        }
    }
}

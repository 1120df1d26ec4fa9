//! Publishes messages over one MQTT connection, in order, and knows which of them were acknowledged.
//!
//! One task feeds rumqttc and books what comes back; another polls rumqttc, which must never wait for anything else. When
//! the connection breaks, a new one is made and everything unacknowledged goes again, in the same order.

mod flight;

use crate::Message;
use crate::config::Secret;
use flight::Flight;
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages on their way without acknowledgement, at most.
const INFLIGHT: u16 = 1000;
/// Messages that wait to be sent, at most.
const QUEUE: usize = 1000;
/// The largest packet sent.
const MAX_PACKET: usize = 16 << 20;
/// How long a broken connection is tried again before giving up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(300);
/// Ping after so long without other packets.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Where to publish, and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Client id.
    pub client_id: String,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// Whether messages are to be acknowledged (QoS 1) or not (QoS 0).
    pub acknowledged: bool,
}

/// One connection to publish over.
#[derive(Debug)]
pub struct Publisher {
    queue: mpsc::Sender<Message>,
    done: Arc<AtomicU64>,
    task: JoinHandle<Result<(), String>>,
}

impl Publisher {
    /// Starts the connection; whether it can be made shows when sending or finishing.
    pub fn start(target: Target) -> Publisher {
        let (queue, messages) = mpsc::channel(QUEUE);
        let done = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(publish(target, messages, done.clone()));
        Publisher { queue, done, task }
    }

    /// The entrance for messages; sending waits while too many are unacknowledged, and fails once the connection is given up.
    pub fn queue(&self) -> mpsc::Sender<Message> {
        self.queue.clone()
    }

    /// Counts messages from the first on without a gap: acknowledged ones, or sent ones at QoS 0.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }

    /// Waits until all is acknowledged and closes the connection, or until `hurry` resolves. All clones of
    /// [`Publisher::queue`] must be gone by then. Gives the count of [`Publisher::done`], and why it is not all.
    pub async fn finish(self, hurry: impl Future<Output = ()>) -> (u64, Result<(), String>) {
        drop(self.queue);
        let abort = self.task.abort_handle();
        let ended = tokio::select! {
            ended = self.task => ended.unwrap_or_else(|e| Err(format!("publishing broke down: {e}"))),
            () = hurry => {
                abort.abort();
                Err("interrupted before all was acknowledged".to_owned())
            }
        };
        (self.done.load(Ordering::Acquire), ended)
    }
}

/// How one connection ended.
enum End {
    /// Nothing is left to send or to wait for.
    Done,
    /// It broke.
    Lost(ConnectionError),
}

/// Connects until all messages are through, or patience ends.
async fn publish(target: Target, mut queue: mpsc::Receiver<Message>, done: Arc<AtomicU64>) -> Result<(), String> {
    let mut flight = Flight::new(done);
    let mut since: Option<Instant> = None;
    loop {
        let before = flight.done();
        let mut connected = false;
        let End::Lost(error) = converse(&target, &mut queue, &mut flight, &mut connected).await else { return Ok(()) };
        let place = format!("{}:{}", target.host, target.port);
        if let ConnectionError::ConnectionRefused(code) = error {
            return Err(format!("{place} refused the connection: {code:?}"));
        }
        if since.is_none() && !connected && flight.done() == 0 {
            return Err(format!("cannot connect to {place}: {error}"));
        }
        tracing::warn!(%place, %error, "connection lost, trying again");
        let since = if flight.done() > before {
            *since.insert(Instant::now())
        } else {
            *since.get_or_insert_with(Instant::now)
        };
        if since.elapsed() > PATIENCE {
            return Err(format!("lost {place} and could not come back for {} s: {error}", PATIENCE.as_secs()));
        }
        flight.again();
        tokio::time::sleep(PAUSE).await;
    }
}

/// One connection, from its beginning to its end.
async fn converse(
    target: &Target,
    queue: &mut mpsc::Receiver<Message>,
    flight: &mut Flight,
    connected: &mut bool,
) -> End {
    let (client, eventloop) = AsyncClient::new(options(target), usize::from(INFLIGHT) + 1);
    let (events, mut happened) = mpsc::channel(usize::from(INFLIGHT));
    let poller = tokio::spawn(poll(eventloop, events, target.acknowledged));
    let qos = if target.acknowledged { QoS::AtLeastOnce } else { QoS::AtMostOnce };
    // The request channel holds as many as may be in flight, so there is always room.
    let send = |message: &Message| {
        let _ = client.try_publish(message.topic.clone(), qos, false, message.payload.clone());
    };
    flight.messages().for_each(send);
    let mut open = true;
    let end = loop {
        if !open && flight.is_empty() {
            break End::Done;
        }
        tokio::select! {
            event = happened.recv() => match event {
                Some(Ok(Step::Connected)) => *connected = true,
                Some(Ok(Step::Sent(id))) => flight.sent(id),
                Some(Ok(Step::Done(id))) => flight.acknowledged(id),
                Some(Err(error)) => break End::Lost(error),
                None => break End::Lost(ConnectionError::RequestsDone),
            },
            message = queue.recv(), if open && flight.len() < usize::from(INFLIGHT) => match message {
                Some(message) => {
                    send(&message);
                    flight.push(message);
                }
                None => open = false,
            },
        }
    };
    if matches!(end, End::Done) && client.try_disconnect().is_ok() {
        // The poller ends by itself once the other side has closed.
        drop(happened);
        let _ = poller.await;
    } else {
        poller.abort();
    }
    end
}

/// What happened on the connection, as far as it matters here.
enum Step {
    /// It stands.
    Connected,
    /// The next message went out under this packet id.
    Sent(u16),
    /// The message of this packet id is done with.
    Done(u16),
}

/// Drives rumqttc until the connection ends or nobody listens.
async fn poll(mut eventloop: EventLoop, events: mpsc::Sender<Result<Step, ConnectionError>>, acknowledged: bool) {
    loop {
        let steps = match eventloop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => [Some(Ok(Step::Connected)), None],
            Ok(Event::Outgoing(Outgoing::Publish(id))) if acknowledged => [Some(Ok(Step::Sent(id))), None],
            Ok(Event::Outgoing(Outgoing::Publish(id))) => [Some(Ok(Step::Sent(id))), Some(Ok(Step::Done(id)))],
            Ok(Event::Incoming(Packet::PubAck(ack))) => [Some(Ok(Step::Done(ack.pkid))), None],
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
            Ok(_) => continue,
            Err(error) => {
                let _ = events.send(Err(error)).await;
                return;
            }
        };
        for step in steps.into_iter().flatten() {
            if events.send(step).await.is_err() {
                return;
            }
        }
    }
}

fn options(target: &Target) -> MqttOptions {
    let mut options = MqttOptions::new(&target.client_id, &target.host, target.port);
    options.set_inflight(INFLIGHT);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    if let Some((user, password)) = &target.login {
        options.set_credentials(user, password.reveal());
    }
    if target.tls {
        access::tls::choose_library();
        options.set_transport(Transport::tls_with_default_config());
    }
    options
}

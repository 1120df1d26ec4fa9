//! Subscriptions at a broker. A message is acknowledged once it is durable, in arrival order.
//!
//! Two tasks: one polls the client and passes messages on; the other submits them and hands acks to the client's queue.
//! Each connection is an epoch: what came in an older one is still stored, but never acknowledged on a newer one, where the
//! same packet id may stand for another message.

mod client;
mod session;

use crate::doors::hold::Hold;
use crate::metrics::DoorMetrics;
use crate::{Error, Intake, Kind};
use client::{Client, Event};
use session::{Delivery, Session};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

pub use client::Version;

/// Settings of one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `mqtt://host:1883` or `mqtts://host:8883`.
    pub url: Url,
    /// The protocol to speak.
    pub version: Version,
    /// Client id: names the session the broker keeps while the connection is down, so it must stay the same and be unique.
    pub client_id: String,
    /// User and password.
    pub login: Option<(String, String)>,
    /// For `mqtts`: certificates of authorities in PEM; the system's when absent.
    pub ca: Option<Vec<u8>>,
    /// For `mqtts`: the client's certificate chain and key in PEM.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// How often to ping, in whole seconds from 5 on.
    pub keep_alive: Duration,
    /// Shared subscription group, to spread topics over several processes.
    pub share: Option<String>,
    /// Bytes of a packet taken; announced on MQTT 5, where the broker then drops larger ones.
    pub max_packet: u32,
    /// QoS 1 messages that may be under way; announced on MQTT 5. On 3.1.1 the broker's own bound holds.
    pub in_flight: u16,
    /// How long an MQTT 5 broker keeps the session and its queue while the connection is down.
    pub session_expiry: Duration,
    /// The first and the longest wait before connecting again.
    pub back_off: (Duration, Duration),
    /// After how long refused subscriptions are tried again.
    pub resubscribe: Duration,
}

impl Config {
    /// The defaults for a broker and a client id.
    pub fn new(url: Url, client_id: impl Into<String>) -> Config {
        Config {
            url,
            version: Version::V5,
            client_id: client_id.into(),
            login: None,
            ca: None,
            identity: None,
            keep_alive: Duration::from_secs(30),
            share: None,
            max_packet: 16 << 20,
            in_flight: 1000,
            session_expiry: Duration::from_secs(7 * 86_400),
            back_off: (Duration::from_millis(100), Duration::from_secs(30)),
            resubscribe: Duration::from_secs(60),
        }
    }

    /// Checks what the client would refuse with a panic.
    fn check(&self) -> Result<(), Error> {
        let wrong = |what: &str| Err(Error::new(Kind::Setting, format!("broker {}: {what}", self.url)));
        if !matches!(self.url.scheme(), "mqtt" | "mqtts") || self.url.host_str().is_none_or(str::is_empty) {
            return wrong("the url must be mqtt://host:port or mqtts://host:port");
        }
        if self.client_id.is_empty() {
            return wrong("client_id must name this subscriber, and stay the same");
        }
        if self.keep_alive < Duration::from_secs(5) || self.keep_alive.as_secs() > u64::from(u16::MAX) {
            return wrong("keep_alive must be from 5 to 65535 seconds");
        }
        if self.in_flight == 0 {
            return wrong("in_flight must be at least 1");
        }
        Ok(())
    }

    /// Name of the door in metrics: host and port.
    pub fn name(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.url.host_str().unwrap_or_default()),
            None => self.url.host_str().unwrap_or_default().to_owned(),
        }
    }
}

/// A connection that lives this long was good: the next failure starts from the shortest wait again.
const GOOD: Duration = Duration::from_secs(5);
/// How long to wait at shutdown for acks to leave.
const FAREWELL: Duration = Duration::from_secs(2);
/// Messages submitted at once at most: the intake takes a submission whole.
const AT_ONCE: usize = 1000;
/// Topics remembered.
const TOPICS: usize = 16_384;
/// Equal errors in a row after which a person must look.
const ALARM: i64 = 5;

/// Subscribes to what the catalog wants and takes messages until `shutdown` is ready. Connects again for ever; returns
/// early only for settings that cannot work (`Kind::Setting`) and when the intake has ended (`Kind::Closed`).
pub async fn run(config: Config, intake: Intake, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    config.check()?;
    let (client, acker) = Client::new(&config)?;
    let metrics = intake.metrics().door(&config.name());
    let subscriptions = intake.catalog().subscriptions();
    let session = Arc::new(Session::new(acker, subscriptions, &config));
    let (sender, deliveries) = mpsc::channel(usize::from(config.in_flight).max(64));
    let poller =
        Poller { client, session: session.clone(), intake: intake.clone(), sender, metrics: metrics.clone(), config };
    let forward = forward(deliveries, intake, session.clone(), metrics);
    let mut poll = pin!(poller.run());
    let mut forward = pin!(forward);
    let mut shutdown = pin!(shutdown);
    let ended = tokio::select! {
        ended = &mut forward => ended,
        ended = &mut poll => ended,
        () = &mut shutdown => Ok(()),
    };
    if ended.is_ok() {
        // What is durable already is acknowledged on the way out; the rest comes again next time.
        session.leave();
        let farewell = async {
            tokio::select! { _ = &mut poll => {}, _ = &mut forward => {} }
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
    ended
}

/// Hands a delivery to the other half. Not a method: the client is not `Sync`, so the poller must not be borrowed here.
async fn pass(sender: &mpsc::Sender<Delivery>, delivery: Delivery) -> Result<(), Error> {
    sender.send(delivery).await.map_err(|_| Error::closed())
}

/// The polling half: drives the client and passes on what comes.
struct Poller {
    client: Client,
    session: Arc<Session>,
    intake: Intake,
    sender: mpsc::Sender<Delivery>,
    metrics: DoorMetrics,
    config: Config,
}

impl Poller {
    async fn run(mut self) -> Result<(), Error> {
        let mut wait = self.config.back_off.0;
        let mut trouble = Trouble::default();
        let mut since = Instant::now();
        loop {
            match self.client.next().await {
                Ok(Event::Connected { resumed }) => {
                    since = Instant::now();
                    self.metrics.connections.set(1);
                    tracing::info!(broker = self.config.name(), resumed, "connected");
                    self.session.subscribe();
                }
                Ok(Event::Subscribed(codes)) => self.subscribed(&codes),
                Ok(Event::Publish(publish)) => {
                    let epoch = self.session.epoch();
                    pass(&self.sender, Delivery::new(publish, epoch, self.intake.now())).await?;
                }
                Ok(Event::Other) => {}
                Err(error) => {
                    self.metrics.connections.set(0);
                    // Messages of the dead connection that were read but not yet passed on: stored, never acknowledged.
                    let (epoch, left) = self.session.break_off(&mut self.client);
                    for publish in left {
                        pass(&self.sender, Delivery::new(publish, epoch, self.intake.now())).await?;
                    }
                    if self.session.is_leaving() {
                        return Ok(());
                    }
                    self.tell(&mut trouble, error);
                    if since.elapsed() >= GOOD {
                        wait = self.config.back_off.0;
                    }
                    sleep(wait).await;
                    wait = (wait * 2).min(self.config.back_off.1);
                    since = Instant::now();
                }
            }
        }
    }

    /// Filters the broker refuses are told and tried again: a broker's access rules may be corrected any time.
    fn subscribed(&self, codes: &[bool]) {
        let refused = self.session.subscribed(codes);
        self.metrics.refused_filters.set(refused.len() as i64);
        if refused.is_empty() {
            return;
        }
        let (broker, filters) = (self.config.name(), refused.join(", "));
        tracing::error!(broker, filters, "the broker refuses these subscriptions; its access rules must allow them");
        let (session, epoch, after) = (self.session.clone(), self.session.epoch(), self.config.resubscribe);
        tokio::spawn(async move {
            sleep(after).await;
            if session.epoch() == epoch {
                session.subscribe();
            }
        });
    }

    fn tell(&self, trouble: &mut Trouble, error: String) {
        let broker = self.config.name();
        let times = trouble.again(&error);
        self.metrics.repeated_errors.set(times);
        if times == 1 {
            tracing::warn!(broker, error, "connection to the broker lost; connecting again");
        } else if times == ALARM || times % 100 == 0 {
            tracing::error!(broker, error, times, "the connection to the broker keeps failing in the same way");
        }
    }
}

/// The last error and how often it came in a row.
#[derive(Default)]
struct Trouble {
    error: String,
    times: i64,
}

impl Trouble {
    fn again(&mut self, error: &str) -> i64 {
        if self.error != error {
            *self = Trouble { error: error.to_owned(), times: 0 };
        }
        self.times += 1;
        self.times
    }
}

/// The forwarding half: submits deliveries and acknowledges them when durable.
async fn forward(
    mut deliveries: mpsc::Receiver<Delivery>,
    intake: Intake,
    session: Arc<Session>,
    metrics: DoorMetrics,
) -> Result<(), Error> {
    let mut hold: Hold<session::Ack> = Hold::new(intake, metrics.clone(), TOPICS);
    let (mut due, mut came) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            stepped = hold.step(&mut due) => {
                stepped?;
                metrics.acked.inc_by(session.acknowledge(&mut due) as u64);
            }
            count = deliveries.recv_many(&mut came, AT_ONCE), if !hold.is_full() => {
                if count == 0 {
                    return Ok(());
                }
                for delivery in came.drain(..) {
                    take(&mut hold, delivery);
                }
                hold.submit();
            }
        }
    }
}

/// Reads a delivery, or adds it as it is.
fn take(hold: &mut Hold<session::Ack>, Delivery { message, mut ack }: Delivery) {
    let topic = hold.topic(message.topic.as_bytes(), |_| Some(true));
    let payload = (&message.payload[..], 0, message.payload.len());
    match topic {
        Some((topic, _)) if hold.read(topic, payload, message.arrived, || ack.take()) => hold.text(message.payload),
        _ => hold.push(message, ack),
    }
}

//! Senders that have far more to tell than is taken.

use crate::crash::{http::Post, mqtt::Line};
use crate::pressure::{DOORS, POSTS};
use crate::server::pause;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Messages of a device without answer: many more than the door lets one connection have under way, so that only the door
/// keeps them out. Fewer than there are packet ids.
const WINDOW: u64 = 50_000;
/// Lines of a body.
const LINES: u64 = 1000;

/// What one sender came to.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) name: String,
    /// Readings handed to the connection, numbered from 0.
    pub(crate) sent: u64,
    /// How many, from the first, were acknowledged.
    pub(crate) acknowledged: u64,
    /// Answers to come again later.
    pub(crate) refused: u64,
}

/// The instant of the first reading, microseconds since 1970: far enough back that no sender reaches the present.
pub(crate) fn start() -> i64 {
    static START: OnceLock<i64> = OnceLock::new();
    *START.get_or_init(|| jiff::Timestamp::now().as_microsecond() - 3_600_000_000)
}

/// When the reading of a number was made, microseconds since 1970.
fn time(number: i64) -> i64 {
    start() + 100 * number
}

/// The reading of a number as JSON.
pub(crate) fn payload(number: i64) -> String {
    format!(r#"{{"ts":{},"a":{number}}}"#, time(number))
}

/// Many senders at work.
pub(crate) struct Flood {
    over: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Sender>>,
}

impl Flood {
    /// Starts senders that together have so many readings a second to tell.
    pub(crate) fn start(door: SocketAddr, http: SocketAddr, rate: f64) -> Flood {
        let over = Arc::new(AtomicBool::new(false));
        let each = rate / (DOORS + POSTS) as f64;
        let mut senders = Vec::new();
        for n in 0..DOORS + POSTS {
            let task = Task { name: format!("flood-{n}"), rate: each, over: over.clone(), since: Instant::now() };
            senders.push(std::thread::spawn(move || if n < DOORS { task.publish(door) } else { task.post(http) }));
        }
        Flood { over, senders }
    }

    /// Ends all of them, as they are.
    pub(crate) fn stop(self) -> Vec<Sender> {
        self.over.store(true, Ordering::Release);
        self.senders.into_iter().map(|sender| sender.join().expect("a sender")).collect()
    }
}

/// One sender.
struct Task {
    name: String,
    rate: f64,
    over: Arc<AtomicBool>,
    since: Instant,
}

impl Task {
    /// Readings it should have told by now.
    fn due(&self) -> u64 {
        (self.since.elapsed().as_secs_f64() * self.rate) as u64
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn publish(self, door: SocketAddr) -> Sender {
        let mut line = Line::connect(door, &self.name).expect("the door listens");
        let topic = format!("trial/{}", self.name);
        let (mut sent, mut acknowledged) = (0, 0);
        while !self.is_over() {
            while sent < self.due() && sent - acknowledged < WINDOW {
                line.publish(&topic, payload(sent as i64).as_bytes(), (sent % 60_000) as u16 + 1, false);
                sent += 1;
            }
            line.flush().expect("the door reads on");
            if sent == acknowledged {
                pause(Duration::from_millis(1));
                continue;
            }
            for id in line.acks().expect("the door answers") {
                assert_eq!(u64::from(id), acknowledged % 60_000 + 1, "acknowledgements come in order");
                acknowledged += 1;
            }
        }
        Sender { name: self.name, sent, acknowledged, refused: 0 }
    }

    fn post(self, http: SocketAddr) -> Sender {
        let mut post = Post::connect(http).expect("the server listens");
        let mut told = Sender { name: self.name.clone(), sent: 0, acknowledged: 0, refused: 0 };
        while !self.is_over() {
            if told.acknowledged + LINES > self.due() {
                pause(Duration::from_millis(1));
                continue;
            }
            match self.body(&mut post, &mut told) {
                Ok(()) => {}
                // A server under pressure may close a connection, but it answers on the next.
                Err(_) => post = Post::connect(http).expect("the server listens"),
            }
        }
        told
    }

    /// Posts the next readings; they are the next again if they are not taken.
    fn body(&self, post: &mut Post, told: &mut Sender) -> io::Result<()> {
        let numbers = told.acknowledged..told.acknowledged + LINES;
        let lines = numbers.map(|n| format!("trial,sensor={} a={n}i {}000\n", self.name, time(n as i64)));
        let body: String = lines.collect();
        told.sent = told.acknowledged + LINES;
        let answer = post.send("/write", body.as_bytes())?;
        match answer.code {
            204 => told.acknowledged = told.sent,
            429 | 503 => {
                assert!(answer.text.to_ascii_lowercase().contains("retry-after:"), "{answer:?}");
                told.refused += 1;
            }
            _ => panic!("{answer:?}"),
        }
        Ok(())
    }
}

/// Readings a second that a few devices get acknowledged that never wait for anything but acknowledgements.
pub(crate) fn capacity(door: SocketAddr, name: &str, time: Duration) -> f64 {
    let over = Arc::new(AtomicBool::new(false));
    let devices: Vec<JoinHandle<Sender>> = (0..8)
        .map(|n| {
            let task =
                Task { name: format!("{name}-{n}"), rate: f64::INFINITY, over: over.clone(), since: Instant::now() };
            std::thread::spawn(move || task.publish(door))
        })
        .collect();
    pause(time);
    over.store(true, Ordering::Release);
    let acknowledged: u64 = devices.into_iter().map(|device| device.join().expect("a device").acknowledged).sum();
    acknowledged as f64 / time.as_secs_f64()
}

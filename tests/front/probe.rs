//! Somebody who publishes and somebody who asks for `/health`, and how long each has to wait.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Pause between two acks, and between two answers.
const PAUSE: Duration = Duration::from_millis(10);
/// How long one of them may take at all.
const LONGEST: Duration = Duration::from_secs(20);

/// Both at work.
pub(super) struct Probe {
    stop: Arc<AtomicBool>,
    acks: JoinHandle<Vec<Duration>>,
    health: JoinHandle<Vec<Duration>>,
}

/// How long things took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) count: usize,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Times {
    fn new(mut times: Vec<Duration>) -> Times {
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
        Times { count: times.len(), p50: at(50), p99: at(99) }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        write!(f, "{} (p50 {:.1} ms, p99 {:.1} ms)", self.count, ms(self.p50), ms(self.p99))
    }
}

impl Probe {
    /// Begins, and returns once the first ack and the first answer are there.
    pub(super) fn start(http: &str, mqtt: &str) -> Probe {
        let stop = Arc::new(AtomicBool::new(false));
        let mut device = Device::connect(mqtt);
        device.publish();
        ask(http);
        let http = http.to_owned();
        let acks = again(stop.clone(), move || device.publish());
        let health = again(stop.clone(), move || ask(&http));
        Probe { stop, acks, health }
    }

    /// Ends; times of acks and of answers.
    pub(super) fn stop(self) -> (Times, Times) {
        self.stop.store(true, Ordering::Relaxed);
        (Times::new(self.acks.join().unwrap()), Times::new(self.health.join().unwrap()))
    }
}

fn again(stop: Arc<AtomicBool>, mut act: impl FnMut() + Send + 'static) -> JoinHandle<Vec<Duration>> {
    std::thread::spawn(move || {
        let mut times = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            act();
            times.push(begun.elapsed());
            crate::server::pause(PAUSE);
        }
        times
    })
}

/// A connection, a GET of `/health`, and its answer.
fn ask(http: &str) {
    let mut stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    write!(stream, "GET /health HTTP/1.0\r\nHost: {http}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.0 200 "), "{answer}");
}

/// A device that publishes with QoS 1 over raw MQTT 3.1.1, one message at a time.
struct Device {
    stream: TcpStream,
    sent: u16,
}

impl Device {
    fn connect(mqtt: &str) -> Device {
        let mut stream = TcpStream::connect(mqtt).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream.write_all(b"\x10\x11\0\x04MQTT\x04\x02\0\0\0\x05probe").unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [0x20, 2, 0, 0], "welcome");
        Device { stream, sent: 0 }
    }

    fn publish(&mut self) {
        self.sent = self.sent % 60_000 + 1;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let payload = format!(r#"{{"id":"p{}","at":{now},"n":1}}"#, self.sent % 100);
        let length = 2 + 8 + 2 + payload.len();
        let mut packet = vec![0x32, u8::try_from(length).unwrap(), 0, 8];
        packet.extend(b"things/p");
        packet.extend(self.sent.to_be_bytes());
        packet.extend(payload.as_bytes());
        self.stream.write_all(&packet).unwrap();
        let mut ack = [0; 4];
        self.stream.read_exact(&mut ack).unwrap();
        assert_eq!((ack[0], u16::from_be_bytes([ack[2], ack[3]])), (0x40, self.sent));
    }
}

//! The load: readings of 2,000 traffic counters as PUBLISH packets, made before the clock starts.
//!
//! One JSON reading a message, some 75 bytes with three values, for the shipped contract `traffic`. All sensors send a round,
//! five minutes of their time apart, then the next; the last round is of some minutes ago. So each sensor's readings come
//! in order, as they do in a city where all is well, only faster than its clocks go. A sensor keeps to one connection.

use jiff::Timestamp;

/// Sensors of the town.
pub(crate) const SENSORS: usize = 2_000;
/// Connections of gateways the sensors share.
pub(crate) const CONNECTIONS: usize = 64;
/// Seconds of sensor time between two rounds: the contract's cadence.
const EVERY: i64 = 300;

/// All that is to be sent.
pub(crate) struct Load {
    /// What each connection sends.
    pub(crate) lanes: Vec<Lane>,
    /// Messages of all of them.
    pub(crate) messages: usize,
}

/// What one connection sends: PUBLISH packets (MQTT 3.1.1, QoS 1) back to back.
#[derive(Default)]
pub(crate) struct Lane {
    pub(crate) bytes: Vec<u8>,
    /// Where each packet ends.
    pub(crate) ends: Vec<usize>,
}

impl Load {
    /// So many rounds of all sensors, until now.
    pub(crate) fn new(rounds: usize) -> Load {
        Load::before(0, rounds)
    }

    /// So many rounds of all sensors that end so many rounds before now.
    pub(crate) fn before(later: usize, rounds: usize) -> Load {
        let mut lanes: Vec<Lane> = (0..CONNECTIONS).map(|_| Lane::default()).collect();
        let now = Timestamp::now().as_second();
        let begin = now - now.rem_euclid(EVERY) - EVERY * (later + rounds) as i64;
        for round in 0..rounds {
            // Round by round the clocks differ by nothing: minutes are what counters tell.
            let time = Timestamp::from_second(begin + EVERY * round as i64).expect("a time of this century");
            for sensor in 0..SENSORS {
                lanes[sensor % CONNECTIONS]
                    .push(&format!("city/bench-{sensor:04}/traffic"), &payload(time, sensor, round));
            }
        }
        Load { lanes, messages: rounds * SENSORS }
    }

    /// Bytes of a message, topic and packet head included, on average.
    pub(crate) fn message_bytes(&self) -> f64 {
        self.lanes.iter().map(|lane| lane.bytes.len()).sum::<usize>() as f64 / self.messages as f64
    }
}

/// A plausible reading. The values only need to differ, so that neither side can make them small.
fn payload(time: Timestamp, sensor: usize, round: usize) -> String {
    let mixed = (sensor * 31 + round).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let (vehicles, bicycles, speed) = (mixed % 131, mixed % 17, 200 + mixed % 397);
    let (whole, tenth) = (speed / 10, speed % 10);
    format!(r#"{{"ts":"{time}","vehicles":{vehicles},"bicycles":{bicycles},"speed_kmh":{whole}.{tenth}}}"#)
}

impl Lane {
    /// Adds a PUBLISH with QoS 1 (MQTT 3.1.1, section 3.3); packet ids go from 1 to 60,000 and round again.
    fn push(&mut self, topic: &str, payload: &str) {
        let id = (self.ends.len() % 60_000 + 1) as u16;
        self.bytes.push(0x32);
        let mut length = 2 + topic.len() + 2 + payload.len();
        loop {
            let byte = (length & 0x7f) as u8;
            length >>= 7;
            self.bytes.push(if length > 0 { byte | 0x80 } else { byte });
            if length == 0 {
                break;
            }
        }
        self.bytes.extend((topic.len() as u16).to_be_bytes());
        self.bytes.extend(topic.as_bytes());
        self.bytes.extend(id.to_be_bytes());
        self.bytes.extend(payload.as_bytes());
        self.ends.push(self.bytes.len());
    }
}

//! The load: InfluxDB line protocol of a town, made before the clock starts.
//!
//! 2,000 sensors of two kinds send once a minute: a thousand stations four values, a thousand crossings five; some 100 bytes a line.
//! The values walk as real ones do, so that no system can make them small. Each sensor keeps to one connection, and its
//! readings come in order; `shuffled` mixes the lines within each body.

use std::fmt::Write;

/// Sensors, half of either kind.
pub(crate) const SENSORS: usize = 2_000;
/// Values of the two kinds of lines together, of two lines.
const VALUES: usize = 4 + 5;

/// What is to be sent.
pub(crate) struct Load {
    /// For each connection its bodies.
    pub(crate) lanes: Vec<Vec<Vec<u8>>>,
    /// Lines of all of them.
    pub(crate) lines: usize,
}

impl Load {
    /// So many minutes of all sensors, over so many connections, in bodies of so many lines.
    pub(crate) fn new(minutes: usize, connections: usize, body: usize, is_shuffled: bool) -> Load {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut lanes: Vec<Lane> = (0..connections).map(|_| Lane::default()).collect();
        let mut states: Vec<[i64; 5]> = (0..SENSORS).map(|_| std::array::from_fn(|_| dice.below(400))).collect();
        // Long ago, so that every system takes it for history: newest three days before now.
        let begin = jiff::Timestamp::now().as_second() / 3600 * 3600 - 3 * 86_400 - 60 * minutes as i64;
        for minute in 0..minutes {
            let nanos = (begin + 60 * minute as i64) * 1_000_000_000;
            for (sensor, state) in states.iter_mut().enumerate() {
                state.iter_mut().for_each(|value| *value = (*value + dice.below(15) - 7).clamp(0, 900));
                lanes[sensor % connections].line(body, |text| line(text, sensor, state, nanos));
            }
        }
        let finish = |mut lane: Lane| {
            lane.close();
            if is_shuffled {
                lane.bodies.iter_mut().for_each(|body| *body = shuffled(body, &mut dice));
            }
            lane.bodies
        };
        Load { lanes: lanes.into_iter().map(finish).collect(), lines: minutes * SENSORS }
    }

    /// Values in all lines.
    pub(crate) fn values(&self) -> usize {
        self.lines / 2 * VALUES
    }

    /// Bytes of a line on average.
    pub(crate) fn line_bytes(&self) -> f64 {
        self.lanes.iter().flatten().map(Vec::len).sum::<usize>() as f64 / self.lines as f64
    }
}

/// One line. Sensors take turns between the kinds in runs of a hundred, as gateways that each serve one kind do.
fn line(text: &mut String, sensor: usize, state: &[i64; 5], nanos: i64) {
    let tenths = |value: i64| (value / 10, value % 10);
    let [a, b, c, d, e] = *state;
    let written = if (sensor / 100).is_multiple_of(2) {
        let ((t, tt), (p, pp)) = (tenths(b), tenths(d));
        write!(
            text,
            "air,sensor=station-{sensor:04} co2={},temperature={t}.{tt},humidity={},pm2_5={p}.{pp} {nanos}",
            400 + a,
            c % 100
        )
    } else {
        let (s, ss) = tenths(e);
        write!(
            text,
            "traffic,sensor=crossing-{sensor:04} bicycles={}i,cars={}i,trucks={}i,pedestrians={}i,speed={s}.{ss} {nanos}",
            a / 10,
            b,
            c / 20,
            d / 3
        )
    };
    written.expect("a text takes everything");
    text.push('\n');
}

/// The bodies of one connection under way.
#[derive(Default)]
struct Lane {
    bodies: Vec<Vec<u8>>,
    text: String,
    lines: usize,
}

impl Lane {
    fn line(&mut self, most: usize, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.lines += 1;
        if self.lines == most {
            self.close();
        }
    }

    fn close(&mut self) {
        if self.lines > 0 {
            self.bodies.push(std::mem::take(&mut self.text).into_bytes());
            self.lines = 0;
        }
    }
}

/// The lines of a body in any order (Fisher and Yates).
fn shuffled(body: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = body.split_inclusive(|&byte| byte == b'\n').collect();
    for at in (1..lines.len()).rev() {
        lines.swap(at, dice.below(at as i64 + 1) as usize);
    }
    lines.concat()
}

/// Numbers that look random and are the same in each run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as i64) % bound
    }
}

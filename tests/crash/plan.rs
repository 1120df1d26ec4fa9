//! What one client sends: new readings, late ones and corrections, in an order that its seed decides.

use super::ledger::{FIELDS, Reading};

/// Sensors of one client.
pub(crate) const SENSORS: u64 = 3;
/// Seconds from one reading of a sensor to its next.
const STEP: i64 = 30;

/// Numbers that look random and are the same for the same seed (xorshift*).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

/// The readings of one client, without end.
#[derive(Debug)]
pub(crate) struct Plan {
    client: String,
    /// The first instant, seconds since 1970.
    start: i64,
    steps: [i64; SENSORS as usize],
    dice: Dice,
}

impl Plan {
    /// A plan that begins at an instant.
    pub(crate) fn new(client: &str, start: i64, seed: u64) -> Plan {
        Plan { client: client.to_owned(), start, steps: [0; SENSORS as usize], dice: Dice::new(seed) }
    }

    /// The client's sensors.
    pub(crate) fn sensors(client: &str) -> impl Iterator<Item = String> + use<'_> {
        (0..SENSORS).map(move |n| format!("{client}-{n}"))
    }

    /// The next reading: of ten, seven are new, one was held up on its way, and two correct what was sent before.
    pub(crate) fn next(&mut self) -> Reading {
        let n = self.dice.below(SENSORS);
        let sensor = format!("{}-{n}", self.client);
        let steps = &mut self.steps[n as usize];
        let earlier = |dice: &mut Dice, steps: i64| self.start + STEP * dice.below(steps as u64) as i64;
        let mut has = [true; FIELDS];
        let time = match self.dice.below(10) {
            7 if *steps > 0 => earlier(&mut self.dice, *steps) + 7,
            8.. if *steps > 0 => {
                has[self.dice.below(FIELDS as u64) as usize] = self.dice.below(2) == 0;
                earlier(&mut self.dice, *steps)
            }
            _ => {
                *steps += 1;
                self.start + STEP * (*steps - 1)
            }
        };
        Reading { sensor, time, has }
    }
}

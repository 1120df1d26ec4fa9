//! What a client has sent and what of it was acknowledged: which rows may be there afterwards, and which must.

use std::collections::BTreeMap;

/// Fields of a reading.
pub(crate) const FIELDS: usize = 2;

/// A reading as a client sends it. Its values are the number of the sending, which no other sending of the client has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) sensor: String,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// Which fields it has.
    pub(crate) has: [bool; FIELDS],
}

/// A row as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) sensor: String,
    pub(crate) time: i64,
    pub(crate) values: [Option<u64>; FIELDS],
}

/// What was sent of one field of one key, over one connection after the other, in this order.
#[derive(Clone, Debug, Default)]
struct Cell {
    /// The last that was acknowledged, or seen.
    settled: Option<u64>,
    /// Sent after that, without an answer.
    open: Vec<u64>,
}

impl Cell {
    /// This value was taken: older ones can be the answer no more.
    fn settle(&mut self, value: u64) {
        self.settled = self.settled.max(Some(value));
        self.open.retain(|open| Some(*open) > self.settled);
    }

    fn allows(&self, value: Option<u64>) -> bool {
        value == self.settled || value.is_some_and(|value| self.open.contains(&value))
    }
}

/// All that one client has sent.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    keys: BTreeMap<(String, i64), [Cell; FIELDS]>,
    sent: u64,
    acknowledged: u64,
}

impl Ledger {
    /// A sending. Gives its number, which is the value of its fields.
    pub(crate) fn sent(&mut self, reading: &Reading) -> u64 {
        self.sent += 1;
        let cells = self.keys.entry((reading.sensor.clone(), reading.time)).or_default();
        for (cell, _) in cells.iter_mut().zip(reading.has).filter(|(_, has)| *has) {
            cell.open.push(self.sent);
        }
        self.sent
    }

    /// The sending of this number was acknowledged.
    pub(crate) fn acknowledged(&mut self, reading: &Reading, number: u64) {
        self.acknowledged += 1;
        let cells = self.keys.get_mut(&(reading.sensor.clone(), reading.time)).expect("it was sent");
        for (cell, _) in cells.iter_mut().zip(reading.has).filter(|(_, has)| *has) {
            cell.settle(number);
        }
    }

    /// Sendings, and those that were acknowledged.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.sent, self.acknowledged)
    }

    /// What is wrong with these rows, which are all there are of the client's sensors.
    pub(crate) fn faults(&self, rows: &[Row]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut found: BTreeMap<(&str, i64), &Row> = BTreeMap::new();
        for row in rows {
            if found.insert((&row.sensor, row.time), row).is_some() {
                faults.push(format!("{} {} is there twice", row.sensor, row.time));
            }
            match self.keys.get(&(row.sensor.clone(), row.time)) {
                None => faults.push(format!("{row:?} was never sent")),
                Some(cells) => {
                    let wrong = cells.iter().zip(row.values).find(|(cell, value)| !cell.allows(*value));
                    faults.extend(wrong.map(|(cell, value)| format!("{row:?} has {value:?}, but {cell:?} was sent")));
                }
            }
        }
        for ((sensor, time), cells) in &self.keys {
            if cells.iter().any(|cell| cell.settled.is_some()) && !found.contains_key(&(sensor.as_str(), *time)) {
                faults.push(format!("{sensor} {time} is lost: {cells:?}"));
            }
        }
        faults
    }

    /// What is there stays there: each value that was read counts from now on as acknowledged. `settled`: and nothing is under
    /// way any more, so what is not there will not come.
    pub(crate) fn seen(&mut self, rows: &[Row], settled: bool) {
        for row in rows {
            let Some(cells) = self.keys.get_mut(&(row.sensor.clone(), row.time)) else { continue };
            cells.iter_mut().zip(row.values).filter_map(|(cell, value)| Some((cell, value?))).for_each(
                |(cell, value)| {
                    cell.settle(value);
                },
            );
        }
        if settled {
            self.keys.values_mut().flatten().for_each(|cell| cell.open.clear());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(time: i64) -> Reading {
        Reading { sensor: "s".into(), time, has: [true, false] }
    }

    fn row(time: i64, value: u64) -> Row {
        Row { sensor: "s".into(), time, values: [Some(value), None] }
    }

    #[test]
    fn a_ledger_knows_what_is_lost_what_is_old_what_is_double_and_what_was_never_sent() {
        let mut ledger = Ledger::default();
        for time in [10, 10, 10, 20, 30] {
            ledger.sent(&reading(time));
        }
        ledger.acknowledged(&reading(10), 2);
        ledger.acknowledged(&reading(20), 4);
        // The second of 10 was taken, the third may have been; 30 may have been.
        for good in [vec![row(10, 2), row(20, 4)], vec![row(10, 3), row(20, 4), row(30, 5)]] {
            assert_eq!(ledger.faults(&good), [""; 0]);
        }
        for (bad, word) in [
            (vec![row(10, 2)], "lost"),
            (vec![row(10, 1), row(20, 4)], "was sent"),
            (vec![row(10, 2), row(20, 4), row(20, 4)], "twice"),
            (vec![row(10, 2), row(20, 4), row(40, 4)], "never sent"),
            (vec![row(10, 2), row(20, 4), Row { values: [Some(5), Some(5)], ..row(30, 5) }], "was sent"),
        ] {
            let faults = ledger.faults(&bad);
            assert!(faults.len() == 1 && faults[0].contains(word), "{word}: {faults:?}");
        }
        ledger.seen(&[row(10, 3), row(20, 4)], true);
        assert_eq!(ledger.faults(&[row(10, 3), row(20, 4)]), [""; 0]);
        assert_eq!(ledger.faults(&[row(10, 2), row(20, 4)]).len(), 1, "what was seen does not go back");
        assert_eq!(ledger.faults(&[row(10, 3), row(20, 4), row(30, 5)]).len(), 1, "what was not there does not come");
    }
}

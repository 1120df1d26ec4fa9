//! Clients: each sends what its plan says over its way in, and keeps account of it.

use super::gate::{Gate, Way};
use super::http::Post;
use super::ledger::{Ledger, Reading};
use super::mqtt::Line;
use super::plan::Plan;
use crate::server::pause;
use std::collections::VecDeque;
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Messages of one client that may be without answer.
const WINDOW: usize = 64;
/// Readings a client has to tell in a second.
const RATE: f64 = 800.0;
/// How long a client that was asked to come later waits.
const LATER: Duration = Duration::from_millis(20);

/// A client's account, which the test looks at while the client is held.
pub(crate) type Account = Arc<Mutex<Ledger>>;

/// A client of one way.
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) way: Way,
    plan: Plan,
    account: Account,
    /// Sent on an earlier connection without an answer, oldest first.
    again: VecDeque<Reading>,
    /// Since when and how much it has told on this connection.
    since: Instant,
    told: u64,
}

impl Client {
    pub(crate) fn new(name: &str, way: Way, start: i64, seed: u64, account: Account) -> Client {
        let plan = Plan::new(name, start, seed);
        Client { name: name.into(), way, plan, account, again: VecDeque::new(), since: Instant::now(), told: 0 }
    }

    /// Sends until the gate closes.
    pub(crate) fn run(mut self, gate: &Gate) {
        gate.each(self.way, |place| {
            (self.since, self.told) = (Instant::now(), 0);
            // That a connection breaks is what this is about: what had no answer is sent again on the next.
            let _ = match self.way {
                Way::Door | Way::Broker => self.publish(place, gate),
                Way::Lines => self.post(place, gate),
            };
        });
    }

    /// The next reading to send, if it is time.
    fn next(&mut self) -> Option<(Reading, u64, bool)> {
        if self.told as f64 > self.since.elapsed().as_secs_f64() * RATE {
            return None;
        }
        self.told += 1;
        let again = self.again.pop_front();
        let is_again = again.is_some();
        let reading = again.unwrap_or_else(|| self.plan.next());
        let number = self.account.lock().expect("account").sent(&reading);
        Some((reading, number, is_again))
    }

    fn acknowledged(&self, reading: &Reading, number: u64) {
        self.account.lock().expect("account").acknowledged(reading, number);
    }

    fn publish(&mut self, place: SocketAddr, gate: &Gate) -> io::Result<()> {
        let mut line = Line::connect(place, &self.name)?;
        let mut flight: VecDeque<(Reading, u64, u16)> = VecDeque::new();
        let ended = self.converse(&mut line, &mut flight, gate);
        for (reading, ..) in flight.into_iter().rev() {
            self.again.push_front(reading);
        }
        ended
    }

    fn converse(&mut self, line: &mut Line, flight: &mut VecDeque<(Reading, u64, u16)>, gate: &Gate) -> io::Result<()> {
        let mut id = 0;
        loop {
            let held = gate.is_held();
            while !held
                && flight.len() < WINDOW
                && let Some((reading, number, again)) = self.next()
            {
                id = id % 60_000 + 1;
                let topic = format!("trial/{}", reading.sensor);
                line.publish(&topic, payload(&reading, number).as_bytes(), id, again);
                flight.push_back((reading, number, id));
            }
            line.flush()?;
            if flight.is_empty() {
                if held {
                    return Ok(());
                }
                pause(Duration::from_millis(1));
                continue;
            }
            for acknowledged in line.acks()? {
                let (reading, number, expected) = flight.pop_front().expect("an acknowledgement of nothing");
                assert_eq!(acknowledged, expected, "acknowledgements come in the order of the messages");
                self.acknowledged(&reading, number);
            }
        }
    }

    fn post(&mut self, place: SocketAddr, gate: &Gate) -> io::Result<()> {
        let mut post = Post::connect(place)?;
        while !gate.is_held() {
            let mut batch = Vec::new();
            while batch.len() < WINDOW
                && let Some((reading, number, _)) = self.next()
            {
                batch.push((reading, number));
            }
            if batch.is_empty() {
                pause(Duration::from_millis(1));
                continue;
            }
            let body: String = batch.iter().map(|(reading, number)| line(reading, *number)).collect();
            let answer = post.send("/write", body.as_bytes());
            match &answer {
                Ok(answer) if answer.code == 204 => {
                    batch.iter().for_each(|(reading, number)| self.acknowledged(reading, *number));
                    continue;
                }
                Ok(answer) if matches!(answer.code, 429 | 503) => pause(LATER),
                Ok(answer) => panic!("/write answers {answer:?} to {body}"),
                Err(_) => {}
            }
            for (reading, _) in batch.into_iter().rev() {
                self.again.push_front(reading);
            }
            answer?;
        }
        Ok(())
    }
}

/// The fields a reading has, each put down as the number of its sending.
fn fields(reading: &Reading, mut put: impl FnMut(&str)) {
    ["a", "b"].iter().zip(reading.has).filter(|(_, has)| *has).for_each(|(name, _)| put(name));
}

/// A reading as a JSON payload.
fn payload(reading: &Reading, number: u64) -> String {
    let mut text = format!(r#"{{"ts":{}"#, reading.time);
    fields(reading, |name| write!(text, r#","{name}":{number}"#).expect("a string"));
    text + "}"
}

/// A reading as a line of line protocol.
fn line(reading: &Reading, number: u64) -> String {
    let mut text = String::new();
    fields(reading, |name| write!(text, ",{name}={number}i").expect("a string"));
    format!("trial,sensor={} {} {}000000000\n", reading.sensor, &text[1..], reading.time)
}

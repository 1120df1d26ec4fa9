//! How much each caller may ask for: a bucket of cost units per caller that fills evenly (a token bucket).
//!
//! One unit is a request, or about 10 ms of one core. A bucket holds a minute's units and starts full, so in any time `t` a
//! caller gets at most `q + q·t/60 s` units. What turns out dearer than was known is settled afterwards and may leave a debt.

use crate::{Caller, Origin};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the operator allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Units a minute of one anonymous caller.
    pub anonymous: u32,
    /// Units a minute of the holder of a key that says nothing else.
    pub keyed: u32,
    /// Questions of one anonymous caller at work or waiting at once; one in SQL counts as four. Grafana asks for all panels
    /// of a page together.
    pub under_way: u32,
    /// The same for the holder of a key.
    pub keyed_under_way: u32,
    /// Keys that are not good which one address may show a minute.
    pub wrong_keys: u32,
    /// Callers told apart; past it newcomers share one budget.
    pub callers: usize,
}

impl Default for Allowance {
    fn default() -> Allowance {
        // A Grafana with 20 panels that refresh every 10 seconds makes 120 requests a minute.
        Allowance {
            anonymous: 1_200,
            keyed: 12_000,
            under_way: 32,
            keyed_under_way: 64,
            wrong_keys: 30,
            callers: 100_000,
        }
    }
}

/// The budgets of all callers.
#[derive(Debug)]
pub struct Budget {
    allowance: Allowance,
    began: Instant,
    table: Mutex<Table>,
}

/// The buckets of all who have not everything back.
#[derive(Debug, Default)]
struct Table {
    buckets: HashMap<Who, Bucket>,
    /// When full buckets were last looked for, microseconds.
    swept: Option<i64>,
}

/// Whose bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Key(String),
    Address(Origin),
    /// Keys that are not good, from an address: what they cost is not taken from others behind it. Nothing: as with others.
    Wrong(Option<Origin>),
    /// Newcomers while the table is full.
    Others,
}

impl Who {
    /// Whose bucket a newcomer draws from while the table is full. Keys are as many as the operator made: no crowd of
    /// addresses takes their places.
    fn of_a_crowd(self) -> Who {
        match self {
            Who::Key(_) => self,
            Who::Address(_) | Who::Others => Who::Others,
            Who::Wrong(_) => Who::Wrong(None),
        }
    }
}

/// What is left to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Name of the policy.
    pub policy: &'static str,
    /// Units a minute.
    pub quota: u32,
    /// Units left now.
    pub left: u32,
    /// Seconds until all of them are there again.
    pub full_in: u32,
}

/// A caller has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What is left.
    pub standing: Standing,
    /// Seconds after which the same will be granted; nothing when it never will, because it costs more than a whole bucket.
    pub seconds: Option<u32>,
}

/// Microseconds a bucket takes to fill: its level is counted in millionths of a sixtieth of a unit, so that it fills by whole
/// numbers whatever its size.
const FILL: i64 = 60_000_000;
/// Microseconds between two sweeps of a table at its bound: one is a walk over all of it, and newcomers must not pay for it
/// each time.
const SWEEP: i64 = 1_000_000;

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    quota: u32,
    /// Units times [`FILL`]; below zero is a debt.
    level: i64,
    /// When the level was right, microseconds.
    at: i64,
    under_way: u32,
}

impl Bucket {
    fn full(quota: u32, at: i64) -> Bucket {
        Bucket { quota, level: i64::from(quota) * FILL, at, under_way: 0 }
    }

    /// Fills it up to an instant.
    fn fill(&mut self, now: i64) {
        let passed = (now - self.at).max(0);
        let gained = passed.saturating_mul(i64::from(self.quota));
        self.level = self.level.saturating_add(gained).min(i64::from(self.quota) * FILL);
        self.at = self.at.max(now);
    }

    /// Takes units if they are there; else says after how many microseconds they will be, if ever.
    fn take(&mut self, units: u32, now: i64) -> Result<(), Option<i64>> {
        self.fill(now);
        let wanted = i64::from(units) * FILL;
        if wanted <= self.level {
            self.level -= wanted;
            return Ok(());
        }
        let quota = i64::from(self.quota);
        // Rounded up: a caller that comes back after that is not refused again.
        Err((units <= self.quota).then(|| (wanted - self.level + quota - 1) / quota.max(1)))
    }

    /// Makes it larger or smaller, as its holder's key now says; what was taken stays taken.
    fn resize(&mut self, quota: u32, now: i64) {
        if self.quota != quota {
            self.fill(now);
            self.level += (i64::from(quota) - i64::from(self.quota)) * FILL;
            self.quota = quota;
        }
    }

    /// Takes units if they are there, and tells how that leaves its caller.
    fn grant(&mut self, policy: &'static str, units: u32, now: i64) -> Result<Standing, Wait> {
        let taken = self.take(units, now);
        let standing = self.standing(policy);
        let seconds = |micros: i64| u32::try_from((micros + 999_999) / 1_000_000).unwrap_or(u32::MAX);
        taken.map(|()| standing).map_err(|wait| Wait { standing, seconds: wait.map(seconds) })
    }

    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.level == i64::from(self.quota) * FILL
    }

    fn standing(&self, policy: &'static str) -> Standing {
        let quota = i64::from(self.quota);
        let missing = quota * FILL - self.level;
        let seconds = missing.div_euclid(quota.max(1)).div_euclid(1_000_000)
            + i64::from(missing % (quota.max(1) * 1_000_000) != 0);
        Standing {
            policy,
            quota: self.quota,
            left: u32::try_from(self.level.max(0) / FILL).unwrap_or(u32::MAX),
            full_in: u32::try_from(seconds).unwrap_or(u32::MAX),
        }
    }
}

impl Table {
    /// Forgets whoever has everything back, at most once in [`SWEEP`].
    fn sweep(&mut self, now: i64) {
        if self.swept.is_some_and(|swept| now - swept < SWEEP) {
            return;
        }
        self.swept = Some(now);
        self.buckets.retain(|_, bucket| {
            bucket.fill(now);
            !bucket.is_idle()
        });
    }
}

impl Budget {
    /// Full budgets for everybody.
    pub fn new(allowance: Allowance) -> Arc<Budget> {
        Arc::new(Budget { allowance, began: Instant::now(), table: Mutex::default() })
    }

    /// What the operator allows.
    pub fn allowance(&self) -> Allowance {
        self.allowance
    }

    /// Callers that are told apart now.
    #[cfg(test)]
    fn callers(&self) -> usize {
        self.lock().buckets.len()
    }

    /// Takes units of a caller's budget. A local caller has no bounds, and no standing.
    pub fn take(&self, caller: &Caller, units: u32) -> Result<Option<Standing>, Wait> {
        self.take_at(caller, units, self.micros())
    }

    /// Notes that a key which is not good came from somewhere; the error says that it came too often.
    pub fn wrong_key(&self, origin: Origin) -> Result<(), Wait> {
        let (who, quota, now) = (Who::Wrong(Some(origin)), self.allowance.wrong_keys, self.micros());
        self.bucket(who, quota, now, |bucket, _| bucket.grant("wrong-keys", 1, now)).map(|_| ())
    }

    /// How a caller stands.
    pub fn standing(&self, caller: &Caller) -> Option<Standing> {
        self.take(caller, 0).unwrap_or_else(|wait| Some(wait.standing))
    }

    /// Takes units whether they are there or not: what was done is paid for.
    pub fn settle(&self, caller: &Caller, units: u32) {
        let now = self.micros();
        self.with(caller, now, |bucket, _| {
            bucket.fill(now);
            bucket.level -= i64::from(units) * FILL;
        });
    }

    /// Lets a caller have more at work, until the place is dropped; nothing past its bound. `weight` is what it counts as.
    pub fn enter(self: &Arc<Budget>, caller: &Caller, weight: u32) -> Option<Place> {
        let anonymous = matches!(caller, Caller::Anonymous(_));
        let most = if anonymous { self.allowance.under_way } else { self.allowance.keyed_under_way };
        let entered = self.with(caller, self.micros(), |bucket, who| {
            let free = bucket.under_way + weight <= most;
            bucket.under_way += if free { weight } else { 0 };
            free.then(|| who.clone())
        });
        match entered {
            None => Some(Place(None)),
            Some(who) => who.map(|who| Place(Some((self.clone(), who, weight)))),
        }
    }

    fn take_at(&self, caller: &Caller, units: u32, now: i64) -> Result<Option<Standing>, Wait> {
        let policy = if matches!(caller, Caller::Keyed(_)) { "key" } else { "anonymous" };
        self.with(caller, now, |bucket, _| bucket.grant(policy, units, now)).transpose()
    }

    /// Does something with a caller's bucket; nothing for a caller without bounds.
    fn with<T>(&self, caller: &Caller, now: i64, act: impl FnOnce(&mut Bucket, &Who) -> T) -> Option<T> {
        let (who, quota) = match caller {
            Caller::Local => return None,
            Caller::Keyed(key) => (Who::Key(key.id.clone()), key.units.unwrap_or(self.allowance.keyed)),
            Caller::Anonymous(origin) => (Who::Address(*origin), self.allowance.anonymous),
        };
        Some(self.bucket(who, quota, now, act))
    }

    /// Does something with a bucket, which is full if it is new.
    fn bucket<T>(&self, mut who: Who, quota: u32, now: i64, act: impl FnOnce(&mut Bucket, &Who) -> T) -> T {
        let mut table = self.lock();
        if !table.buckets.contains_key(&who) && table.buckets.len() >= self.allowance.callers {
            table.sweep(now);
            if table.buckets.len() >= self.allowance.callers {
                who = who.of_a_crowd();
            }
        }
        let bucket = table.buckets.entry(who.clone()).or_insert_with(|| Bucket::full(quota, now));
        bucket.resize(quota, now);
        act(bucket, &who)
    }

    fn micros(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Buckets are numbers: they are right even after a panic elsewhere.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of a caller at work, until dropped.
#[derive(Debug)]
pub struct Place(Option<(Arc<Budget>, Who, u32)>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((budget, who, weight)) = self.0.take()
            && let Some(bucket) = budget.lock().buckets.get_mut(&who)
        {
            bucket.under_way = bucket.under_way.saturating_sub(weight);
        }
    }
}

#[cfg(test)]
mod tests;

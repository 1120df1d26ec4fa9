//! Who may publish at the door, and to which datasets: the password of a CONNECT is a key.

use crate::Catalog;
use crate::catalog::Routes;
use access::{Budget, Key, Keyring, Keys, Origin, Right};
use jiff::Timestamp;
use schemas::Time;
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// User and password of a CONNECT.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The user name, if there is one.
    pub user: Option<String>,
    /// The password, if there is one.
    pub password: Option<Vec<u8>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Either of them may be a key.
        f.write_str("Login")
    }
}

impl Login {
    /// The key: the password, or the user name for devices that have one field only.
    fn key(&self) -> Option<&str> {
        let password = self.password.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        password.filter(|text| !text.is_empty()).or(self.user.as_deref())
    }
}

/// Decides who may publish.
#[derive(Clone, Debug)]
pub struct Gate {
    keys: Keys,
    /// Whether a key is asked for even while there is none that could be shown.
    closed: bool,
    /// Counts the wrong keys of each address; nothing: they may be as many as they like.
    budget: Option<Arc<Budget>>,
}

/// What a connection may publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum May {
    /// Readings of any dataset.
    All,
    /// Readings of these datasets.
    Only(Vec<String>),
}

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is no key that is taken.
    Unknown,
    /// The key may write nothing.
    Forbidden,
}

impl Gate {
    /// A gate that asks for a key as soon as one with the right to write was made; always, if it is `closed`. That the last
    /// of them has expired or was revoked opens nothing.
    pub fn new(keys: Keys, closed: bool) -> Gate {
        Gate { keys, closed, budget: None }
    }

    /// The same, with a bound for the wrong keys that one address may show a minute.
    pub fn bounded(self, budget: Arc<Budget>) -> Gate {
        Gate { budget: Some(budget), ..self }
    }

    /// Notes a wrong key; whether its address may show more of them at once.
    pub(super) fn bears(&self, origin: Origin) -> bool {
        self.budget.as_ref().is_none_or(|budget| budget.wrong_key(origin).is_ok())
    }

    /// A gate that asks for nothing.
    pub fn open() -> Gate {
        Gate::new(Keys::fixed(Keyring::default()), false)
    }

    /// What a connection with this login may publish at an instant, and from when on it no longer may.
    pub(in crate::doors) fn admit(&self, login: &Login, Time(now): Time) -> Result<(May, Option<Time>), Refusal> {
        let ring = self.keys.now();
        let now = Timestamp::from_microsecond(now).unwrap_or(Timestamp::MAX);
        if !self.asks() {
            return Ok((May::All, None));
        }
        let key = login.key().and_then(|text| ring.check(text, now).ok()).ok_or(Refusal::Unknown)?;
        let until = key.expires.map(|end| Time(end.as_microsecond()));
        writes(&key).map(|may| (may, until)).ok_or(Refusal::Forbidden)
    }

    /// Whether it asks for a key.
    pub(in crate::doors) fn asks(&self) -> bool {
        self.closed || self.keys.now().keys.iter().any(|key| writes(key).is_some())
    }

    /// Tells of each change of the keys: open connections ask again then.
    pub(super) fn changes(&self) -> watch::Receiver<Arc<Keyring>> {
        self.keys.changes()
    }
}

/// What a key may write; nothing if it may not write at all.
fn writes(key: &Key) -> Option<May> {
    let mut datasets = Vec::new();
    for scope in key.scopes.iter().filter(|scope| scope.right == Right::Write) {
        match &scope.dataset {
            None => return Some(May::All),
            Some(dataset) => datasets.push(dataset.clone()),
        }
    }
    (!datasets.is_empty()).then_some(May::Only(datasets))
}

/// What one connection was let in with.
pub(super) struct Permit {
    may: May,
    /// From when on it is none.
    pub(super) until: Option<Time>,
    /// Remembers where the topics of a connection with bounds lead.
    routes: Routes,
}

/// Topics of a connection whose routes are remembered.
const TOPICS: usize = 64;

impl Permit {
    pub(super) fn new(may: May, until: Option<Time>) -> Permit {
        Permit { may, until, routes: Routes::new(TOPICS) }
    }

    /// Whether a message of this topic may be published: every dataset that would take it must be allowed. One that none
    /// takes becomes a reject, which whoever may publish at all may cause.
    pub(super) fn allows(&mut self, catalog: &Catalog, topic: &Arc<str>) -> bool {
        let May::Only(datasets) = &self.may else { return true };
        let allowed = |id: &str| datasets.iter().any(|dataset| dataset == id);
        let routes = self.routes.of(catalog, topic);
        routes.iter().all(|&route| allowed(&catalog.datasets[catalog.routes[route].dataset].id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gate with keys of these scopes, and their texts.
    fn gate(scopes: &[&str], closed: bool) -> (Gate, Vec<String>) {
        let mut ring = Keyring::default();
        let end = Timestamp::from_second(100).ok();
        let texts = scopes.iter().map(|scope| {
            let scopes = scope.split(' ').map(|scope| scope.parse().unwrap()).collect();
            ring.add("device", scopes, Timestamp::UNIX_EPOCH, end).unwrap().reveal().to_owned()
        });
        let texts = texts.collect();
        (Gate::new(Keys::fixed(ring), closed), texts)
    }

    fn login(user: &str, password: &str) -> Login {
        Login { user: Some(user.to_owned()), password: Some(password.as_bytes().to_vec()) }
    }

    #[test]
    fn a_key_that_may_write_closes_the_gate_and_one_that_may_not_does_not() {
        let anybody = Login::default();
        let at = Time(0);
        assert_eq!(Gate::open().admit(&anybody, at), Ok((May::All, None)));
        assert_eq!(gate(&["read"], false).0.admit(&anybody, at), Ok((May::All, None)));
        assert_eq!(gate(&["read"], true).0.admit(&anybody, at), Err(Refusal::Unknown));
        assert_eq!(gate(&["write:air"], false).0.admit(&anybody, at), Err(Refusal::Unknown));
        let expired = Time(100_000_000);
        assert_eq!(gate(&["write"], false).0.admit(&anybody, expired), Err(Refusal::Unknown), "it stays closed");
    }

    #[test]
    fn the_key_is_the_password_or_the_user_and_its_scopes_decide() {
        let (gate, texts) = gate(&["write", "write:air write:noise read", "read"], false);
        let until = Some(Time(100_000_000));
        let only = May::Only(vec!["air".to_owned(), "noise".to_owned()]);
        assert_eq!(gate.admit(&login("anything", &texts[0]), Time(0)), Ok((May::All, until)));
        assert_eq!(gate.admit(&login(&texts[1], ""), Time(0)), Ok((only, until)));
        assert_eq!(gate.admit(&login("x", &texts[2]), Time(0)), Err(Refusal::Forbidden));
        assert_eq!(gate.admit(&login(&texts[0], "wrong"), Time(0)), Err(Refusal::Unknown), "a wrong password is wrong");
        assert_eq!(gate.admit(&login("x", &texts[0]), Time(100_000_000)), Err(Refusal::Unknown), "expired");
        assert_eq!(format!("{:?}", login("x", &texts[0])), "Login");
    }
}

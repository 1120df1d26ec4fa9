//! Named points at which a test can make the store crash.

use crate::Error;
#[cfg(test)]
use crate::Kind;

/// Every point there is, in the order a row passes them.
#[cfg(test)]
pub(crate) const ALL: [&str; 18] = [
    "seal.file",
    "flush.commit",
    "flush.state",
    "log.release",
    "fold.file",
    "fold.commit",
    "tier.file",
    "tier.commit",
    "refresh.remove",
    "compact.file",
    "compact.commit",
    "vacuum.log",
    "vacuum.file",
    "backup.dataset",
    "backup.log",
    "retain.mark",
    "retain.commit",
    "retain.tier",
];

/// Where the store is to crash: the process ends at the point that `LAMPPOST_CRASH_AT` names, which is read once.
/// Tests within the store have the point answer an error instead, and open what is on disk anew.
#[derive(Debug)]
pub(crate) struct Points {
    abort: Option<String>,
    #[cfg(test)]
    pub(crate) fail: std::sync::Mutex<Option<&'static str>>,
}

impl Points {
    /// As the environment says.
    pub(crate) fn from_environment() -> Points {
        Points {
            abort: std::env::var("LAMPPOST_CRASH_AT").ok(),
            #[cfg(test)]
            fail: std::sync::Mutex::default(),
        }
    }

    /// Passes a point, or does not.
    pub(crate) fn pass(&self, name: &str) -> Result<(), Error> {
        if self.abort.as_deref() == Some(name) {
            tracing::error!(point = name, "crashing as LAMPPOST_CRASH_AT asks");
            std::process::abort();
        }
        #[cfg(test)]
        if *self.fail.lock().expect("no test panics here") == Some(name) {
            return Err(Error::new(Kind::Io, format!("crash at {name}")));
        }
        Ok(())
    }
}

//! The keys of a running server: the file is looked at every second, so that a key that is revoked ends without a restart.

use crate::Keyring;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The keys as they stand now. Cloneable; all clones see the same.
#[derive(Clone, Debug)]
pub struct Keys(watch::Receiver<Arc<Keyring>>);

/// What tells one state of a file from the next: when it was written, its length, and which file it is.
type Mark = Option<(i64, i64, u64, u64)>;

impl Keys {
    /// Keys that never change.
    pub fn fixed(ring: Keyring) -> Keys {
        Keys(watch::channel(Arc::new(ring)).1)
    }

    /// Reads a file and goes on looking at it until the last clone is gone; must be called on a runtime.
    pub fn watch(file: PathBuf) -> Result<Keys, String> {
        let mark = mark(&file);
        let ring = Keyring::read(&file)?;
        let (sender, receiver) = watch::channel(Arc::new(ring));
        tokio::spawn(look(file, mark, sender));
        Ok(Keys(receiver))
    }

    /// The keys at this moment.
    pub fn now(&self) -> Arc<Keyring> {
        self.0.borrow().clone()
    }

    /// Tells of each change.
    pub fn changes(&self) -> watch::Receiver<Arc<Keyring>> {
        self.0.clone()
    }
}

/// Takes over each change of the file. A file that is wrong changes nothing: keys go on working, and the log says why.
async fn look(file: PathBuf, mut seen: Mark, keys: watch::Sender<Arc<Keyring>>) {
    let mut told = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = keys.closed() => return,
        }
        let stands = mark(&file);
        if stands == seen {
            continue;
        }
        match Keyring::read(&file) {
            Ok(ring) => {
                seen = stands;
                tracing::info!(file = %file.display(), keys = ring.keys.len(), "took over changed keys");
                keys.send_replace(Arc::new(ring));
            }
            // Tried again each time: a revoked key must not live on because a file could not be opened once.
            Err(error) if told != Some(stands) => {
                told = Some(stands);
                tracing::error!(file = %file.display(), %error, "kept the keys as they were");
            }
            Err(_) => {}
        }
    }
}

fn mark(file: &Path) -> Mark {
    let of = |found: Metadata| (found.mtime(), found.mtime_nsec(), found.len(), found.ino());
    std::fs::metadata(file).ok().map(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[tokio::test]
    async fn a_change_of_the_file_is_taken_over_and_a_wrong_file_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys.toml");
        let keys = Keys::watch(file.clone()).expect("no file is no key");
        let mut changes = keys.changes();
        let text = Keyring::change(&file, |ring| ring.add("x", vec![], Timestamp::UNIX_EPOCH, None)).expect("written");
        changes.changed().await.expect("watched");
        assert!(keys.now().check(text.reveal(), Timestamp::UNIX_EPOCH).is_ok());
        std::fs::write(&file, "[[key]]\nid = 5\n").expect("written");
        tokio::time::sleep(LOOK * 2).await;
        assert!(keys.now().check(text.reveal(), Timestamp::UNIX_EPOCH).is_ok(), "still there");
        std::fs::remove_file(&file).expect("removed");
        changes.changed().await.expect("watched");
        assert!(keys.now().keys.is_empty());
    }
}

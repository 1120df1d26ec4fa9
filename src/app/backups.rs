//! Backups that operators order: one at a time, going on when whoever ordered does not wait.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Backup, Error, Kind, Writer};
use tokio::sync::watch;

/// How long an order is waited for before it is told that the backup goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a backup ended, once it has.
type Ended = Option<Arc<Result<Backup, Error>>>;

/// The folder a backup goes into, and its end.
type Begun = (PathBuf, watch::Receiver<Ended>);

/// The backup under way, or the last one while nobody has asked how it ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Backups(Arc<Mutex<Option<Begun>>>);

impl Backups {
    /// Begins a backup into a folder, unless it has been begun; gives how it ended, or nothing while it goes on: ask again.
    /// `Kind::Busy` while there is one into another folder.
    pub(super) async fn order(&self, writer: &Writer, to: PathBuf) -> Result<Option<Backup>, Error> {
        let mut ended = self.begin(writer, &to)?;
        let waited = tokio::time::timeout(PATIENCE, ended.wait_for(Option::is_some)).await;
        let answer = match waited {
            Err(_) => return Ok(None),
            Ok(Ok(ended)) => ended.clone(),
            Ok(Err(_)) => None,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take_if(|(known, _)| *known == to);
        match answer.as_deref() {
            Some(Ok(backup)) => Ok(Some(backup.clone())),
            Some(Err(error)) => Err(Error::new(error.kind, error.message.clone())),
            None => Err(Error::new(Kind::Io, "the backup broke off")),
        }
    }

    fn begin(&self, writer: &Writer, to: &PathBuf) -> Result<watch::Receiver<Ended>, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((folder, ended)) = known.as_ref() {
            if folder == to {
                return Ok(ended.clone());
            }
            if ended.borrow().is_none() && ended.has_changed().is_ok() {
                let message = format!("a backup into {} is under way; wait for its end", folder.display());
                return Err(Error::new(Kind::Busy, message));
            }
        }
        let (tell, ended) = watch::channel(None);
        let (writer, folder) = (writer.clone(), to.clone());
        tokio::spawn(async move {
            let answer = writer.backup(&folder).await;
            let _ = tell.send(Some(Arc::new(answer)));
        });
        *known = Some((to.clone(), ended.clone()));
        Ok(ended)
    }
}

//! Where the demo keeps its data.

use crate::{Error, console};
use std::path::{Path, PathBuf};

/// A folder that goes away with the demo, unless the person named it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// The folder named, or a fresh temporary one.
    pub(super) fn take(named: Option<PathBuf>) -> Result<Folder, Error> {
        let kept = named.is_some();
        let path = named.unwrap_or_else(|| std::env::temp_dir().join(format!("lamppost-demo-{}", std::process::id())));
        std::fs::create_dir_all(&path).map_err(|e| {
            Error::run(format!("{}: {e}; name a folder that can be written with --dir", path.display()))
        })?;
        Ok(Folder { path, kept })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays when the demo ends.
    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Err(e) = std::fs::remove_dir_all(&self.path) {
            console::note(format!("{} could not be removed: {e}", self.path.display()));
        }
    }
}

//! Where the demo keeps its data.

use crate::Error;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The demo's folder.
#[derive(Debug)]
pub(super) enum Folder {
    /// The person named it: it stays.
    Named(PathBuf),
    /// Goes away with the demo.
    Fleeting(TempDir),
}

impl Folder {
    /// The folder named, or a fresh temporary one.
    pub(super) fn take(named: Option<PathBuf>) -> Result<Folder, Error> {
        let Some(path) = named else {
            let fresh = tempfile::Builder::new().prefix("lamppost-demo-").tempdir();
            let told = |e| Error::run(format!("no temporary folder can be made ({e}); name one with --dir"));
            return fresh.map(Folder::Fleeting).map_err(told);
        };
        std::fs::create_dir_all(&path).map_err(|e| {
            Error::run(format!("{}: {e}; name a folder that can be written with --dir", path.display()))
        })?;
        Ok(Folder::Named(path))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        match self {
            Folder::Named(path) => path,
            Folder::Fleeting(folder) => folder.path(),
        }
    }

    /// Whether it stays when the demo ends.
    pub(super) fn stays(&self) -> bool {
        matches!(self, Folder::Named(_))
    }
}

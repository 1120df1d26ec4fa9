//! Where a replay or import stopped, so that it can be started again there.

use crate::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that remembers how many rows are done.
#[derive(Clone, Debug)]
pub struct Bookmark {
    file: PathBuf,
    /// What the rows belong to; another job does not take this bookmark.
    job: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    job: String,
    rows: u64,
}

impl Bookmark {
    /// The bookmark of a job over some files, and the rows it says are done; 0 when there is none yet.
    pub fn open(file: &Path, job: &str, files: &[PathBuf]) -> Result<(Bookmark, u64), Error> {
        let names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        let bookmark = Bookmark { file: file.to_owned(), job: format!("{job} {}", names.join(" ")) };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((bookmark, 0)),
            Err(e) => return Err(Error::run(format!("{}: {e}", file.display()))),
        };
        match serde_json::from_str::<Saved>(&text) {
            Ok(saved) if saved.job == bookmark.job => Ok((bookmark, saved.rows)),
            Ok(saved) => {
                let (path, job) = (file.display(), saved.job);
                Err(Error::usage(format!("{path} belongs to another run ({job}); name another --state file")))
            }
            Err(e) => Err(Error::run(format!("{}: not a saved state: {e}; remove it to start over", file.display()))),
        }
    }

    /// Remembers the rows done; the file is replaced whole.
    pub fn save(&self, rows: u64) -> Result<(), Error> {
        let text = serde_json::json!(Saved { job: self.job.clone(), rows }).to_string();
        let aside = self.file.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&aside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&aside, &self.file)
        };
        write().map_err(|e| Error::run(format!("{}: {e}", self.file.display())))
    }
}

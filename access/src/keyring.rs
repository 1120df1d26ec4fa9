//! All keys, and the file they are kept in: TOML that people can read, written by `lamppost key` alone.
//!
//! ```toml
//! [[key]]
//! id = "k3jq7wxa"
//! name = "Traffic office"
//! scopes = ["read", "write:traffic"]
//! sha256 = "…"                       # of the whole key, in hexadecimal
//! created = "2026-11-20T18:00:00Z"
//! expires = "2027-11-20T18:00:00Z"   # if it ends
//! revoked = "2026-12-01T08:00:00Z"   # if it was taken back: the id is never given again
//! units = 60000                      # cost units a minute, if other than those of all keys
//! ```

use crate::key::State;
use crate::{Key, KeyText, Scope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file says first.
const HEAD: &str = "# Keys of Lamppost, written by `lamppost key add` and `lamppost key revoke`.\n\n";

/// All keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    /// The keys, in the order they were made.
    pub keys: Vec<Arc<Key>>,
}

/// Why a key is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no key of this server.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Refusal {
    /// What the caller is told.
    pub fn told(self) -> &'static str {
        match self {
            Refusal::Unknown => "the key is none of this server",
            Refusal::Expired => "the key has expired; ask the operator for a new one",
            Refusal::Revoked => "the key was revoked; ask the operator for a new one",
        }
    }
}

/// The file as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    key: Vec<Entry>,
}

/// A key as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: String,
    scopes: Vec<String>,
    sha256: String,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u32>,
}

impl Keyring {
    /// Reads the text of a file. The error says where it is wrong.
    pub fn parse(text: &str) -> Result<Keyring, String> {
        let document: Document = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let mut keys: Vec<Arc<Key>> = Vec::with_capacity(document.key.len());
        for entry in document.key {
            let id = entry.id.clone();
            let key = entry.key().map_err(|wrong| format!("key {id:?}: {wrong}"))?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(format!("key {id:?} stands there twice"));
            }
            keys.push(Arc::new(key));
        }
        Ok(Keyring { keys })
    }

    /// The keys as the text of a file.
    pub fn text(&self) -> String {
        let key = self.keys.iter().map(|key| Entry::of(key)).collect();
        // Tables of text and numbers: writing them cannot fail.
        format!("{HEAD}{}", toml::to_string(&Document { key }).unwrap_or_default())
    }

    /// Reads a file; one that is not there holds no key.
    pub fn read(file: &Path) -> Result<Keyring, String> {
        match fs::read_to_string(file) {
            Ok(text) => Keyring::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Keyring::default()),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    /// Changes a file under a lock: whoever else changes it waits. It is replaced whole, so that a reader finds the old or
    /// the new one, also after a power cut.
    pub fn change<T>(file: &Path, change: impl FnOnce(&mut Keyring) -> Result<T, String>) -> Result<T, String> {
        let failed = |what: &str, error: io::Error| format!("{what}: {error}");
        let owner = owner(file).map_err(|error| failed("its folder cannot be read", error))?;
        // The folder itself, so that no lock is left lying there for the next user to stumble over.
        let lock = File::open(folder(file)).map_err(|error| failed("its folder cannot be read", error))?;
        lock.lock().map_err(|error| failed("its folder cannot be locked", error))?;
        let mut ring = Keyring::read(file)?;
        let made = change(&mut ring)?;
        replace(file, &owner, ring.text().as_bytes()).map_err(|error| failed("it cannot be written", error))?;
        Ok(made)
    }

    /// The key of a text, if it is taken at this instant.
    pub fn check(&self, text: &str, now: Timestamp) -> Result<Arc<Key>, Refusal> {
        let text = KeyText::parse(text).ok_or(Refusal::Unknown)?;
        let key = self.keys.iter().find(|key| key.id == text.id()).ok_or(Refusal::Unknown)?;
        match key.state(now) {
            _ if !key.is(&text) => Err(Refusal::Unknown),
            State::Expired => Err(Refusal::Expired),
            State::Revoked => Err(Refusal::Revoked),
            State::Active => Ok(key.clone()),
        }
    }

    /// Whether there is a key that is taken at this instant.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.keys.iter().any(|key| key.state(now) == State::Active)
    }

    /// Adds a key with a new id; gives its text, which is kept nowhere.
    pub fn add(
        &mut self,
        name: &str,
        scopes: Vec<Scope>,
        now: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<KeyText, String> {
        loop {
            let text = KeyText::random().map_err(|error| format!("the system gives no random bytes: {error}"))?;
            if self.keys.iter().all(|key| key.id != text.id()) {
                let (id, digest) = (text.id().to_owned(), text.digest());
                let name = name.to_owned();
                let key = Key { id, name, scopes, digest, created: now, expires, revoked: None, units: None };
                self.keys.push(Arc::new(key));
                return Ok(text);
            }
        }
    }

    /// Takes a key back. It stays in the list, so that its id never comes back.
    pub fn revoke(&mut self, id: &str, now: Timestamp) -> Result<(), String> {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        let unknown = || format!("there is no key {id:?}; there are: {}", ids.join(", "));
        let place = self.keys.iter().position(|key| key.id == id).ok_or_else(unknown)?;
        let key = Arc::make_mut(&mut self.keys[place]);
        key.revoked = key.revoked.or(Some(now));
        Ok(())
    }
}

impl Entry {
    fn of(key: &Key) -> Entry {
        Entry {
            id: key.id.clone(),
            name: key.name.clone(),
            scopes: key.scopes.iter().map(ToString::to_string).collect(),
            sha256: key.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            created: key.created,
            expires: key.expires,
            revoked: key.revoked,
            units: key.units,
        }
    }

    fn key(self) -> Result<Key, String> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let digest: Option<Vec<u8>> = self.sha256.as_bytes().chunks(2).map(byte).collect();
        let digest = digest.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let digest = digest.ok_or("sha256 is not 64 hexadecimal digits")?;
        let scopes = self.scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>()?;
        let Entry { id, name, created, expires, revoked, units, .. } = self;
        Ok(Key { id, name, scopes, digest, created, expires, revoked, units })
    }
}

/// A file beside another: `keys.toml.new`.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Replaces a file by one that only its owner reads.
fn replace(file: &Path, owner: &Metadata, bytes: &[u8]) -> io::Result<()> {
    let new = beside(file, "new");
    // What an earlier run left there may have another owner and mode.
    let _ = fs::remove_file(&new);
    let mut written = File::options().create_new(true).write(true).mode(0o600).open(&new)?;
    hand_over(&written, owner)?;
    written.write_all(bytes)?;
    written.sync_all()?;
    fs::rename(&new, file)?;
    File::open(folder(file))?.sync_all()
}

/// Who owns a file, or its folder while there is none: whoever runs the server, though root may be the one to add a key.
fn owner(file: &Path) -> io::Result<Metadata> {
    fs::metadata(file).or_else(|_| fs::metadata(folder(file)))
}

/// Gives a file to an owner.
fn hand_over(file: &File, owner: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// The folder a file lies in.
fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests;

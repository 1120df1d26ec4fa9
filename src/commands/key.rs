//! `lamppost key`: makes keys, lists them, takes them back. A running server notices within a second.

use crate::{Config, Error, console, contracts};
use access::{Keyring, Scope};
use jiff::Timestamp;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// What `key` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The config file, which says where keys are kept.
    #[arg(long, default_value = "lamppost.toml", value_name = "FILE", global = true)]
    config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    act: Act,
}

/// What can be done with keys.
#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Make a key. It is shown this once: only a digest is kept.
    #[command(
        after_help = "Example: lamppost key add --name 'Traffic office' --scope read --scope write:traffic > key"
    )]
    Add {
        /// Whose it is, or what for.
        #[arg(long)]
        name: String,
        /// What it allows: read, write or operate; read and write also for one dataset, as in read:parking. Repeatable.
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// After what time it ends: 90d, 12h. Without, it lasts until it is revoked.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List the keys.
    List,
    /// Take a key back.
    Revoke {
        /// The id of the key: the eight letters after lp_.
        id: String,
    },
}

/// Does it.
pub fn run(options: Options) -> Result<(), Error> {
    // Whether doors may listen is not the question here: a key may be what they lack.
    let config = Config::read(&options.config, true)?;
    match options.act {
        Act::Add { name, scopes, expires } => add(&config, &name, scopes, expires.as_deref()),
        Act::List => list(&config),
        Act::Revoke { id } => revoke(&config, &id),
    }
}

fn add(config: &Config, name: &str, scopes: Vec<Scope>, expires: Option<&str>) -> Result<(), Error> {
    if name.trim().is_empty() {
        return Err(Error::usage("--name is empty: say whose key it is, so that it can be told from others later"));
    }
    check_datasets(config, &scopes)?;
    let now = Timestamp::now();
    let lasts = expires.map(lifetime).transpose()?;
    let end = lasts.map(|lasts| now.checked_add(lasts)).transpose();
    let end = end.map_err(|_| Error::usage("--expires lies too far ahead"))?;
    let text = change(config, |ring| ring.add(name, scopes, now, end))?;
    console::note(format!(
        "made key {} for {name:?}, in {}; this is the only time it is shown:",
        text.id(),
        config.keys.display()
    ));
    console::say(text.reveal());
    Ok(())
}

/// Refuses scopes of datasets that are not declared: a slip of the pen would make a key that opens nothing.
fn check_datasets(config: &Config, scopes: &[Scope]) -> Result<(), Error> {
    let datasets = contracts::read(&config.contracts)?;
    let unknown = |scope: &&Scope| {
        let id = scope.dataset.as_deref();
        id.is_some_and(|id| datasets.iter().all(|dataset| *dataset.id != *id))
    };
    let Some(scope) = scopes.iter().find(unknown) else { return Ok(()) };
    let known: Vec<&str> = datasets.iter().map(|dataset| &*dataset.id).collect();
    Err(Error::usage(format!("--scope {scope}: there is no such dataset; there are {}", known.join(", "))))
}

/// How long a key lasts.
fn lifetime(text: &str) -> Result<Duration, Error> {
    let read = || {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        Some(Duration::from_secs(digits.parse::<u64>().ok().filter(|&many| many > 0)?.checked_mul(seconds)?))
    };
    read().ok_or_else(|| Error::usage(format!("--expires {text:?}: write days or hours, such as 90d or 12h")))
}

fn list(config: &Config) -> Result<(), Error> {
    let ring = Keyring::read(&config.keys).map_err(|wrong| told(config, &wrong))?;
    if ring.keys.is_empty() {
        console::note(format!("there is no key in {}; lamppost key add makes one", config.keys.display()));
        return Ok(());
    }
    let now = Timestamp::now();
    let mut text = format!("{:<8}  {:<7}  {:<20}  {:<20}  {:<24}  name", "id", "state", "created", "expires", "scopes");
    for key in &ring.keys {
        let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
        let expires = key.expires.map_or_else(|| "-".to_owned(), second);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n{:<8}  {:<7}  {:<20}  {expires:<20}  {:<24}  {}",
            key.id,
            key.state(now).to_string(),
            second(key.created),
            scopes.join(" "),
            key.name
        );
    }
    console::say(text);
    Ok(())
}

fn revoke(config: &Config, id: &str) -> Result<(), Error> {
    let now = Timestamp::now();
    change(config, |ring| ring.revoke(id, now))?;
    console::note(format!("revoked {id}; a running server no longer takes it a second from now"));
    Ok(())
}

fn change<T>(config: &Config, change: impl FnOnce(&mut Keyring) -> Result<T, String>) -> Result<T, Error> {
    Keyring::change(&config.keys, change).map_err(|wrong| told(config, &wrong))
}

fn told(config: &Config, wrong: &str) -> Error {
    Error::run(format!("{}: {wrong}", config.keys.display()))
}

/// An instant to the second.
fn second(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

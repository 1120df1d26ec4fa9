//! `lamppost backup`: has the running server copy all it keeps into a folder of its machine, while it goes on.

use crate::client::Client;
use crate::{Error, console};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long one request may take: the server answers sooner, also when the backup goes on.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between signs of life.
const AGAIN: Duration = Duration::from_secs(30);

/// What `backup` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder on the server's machine, empty or not there yet. On the disk of the data it takes next to no room at first.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Where the server's HTTP door is.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// File with a key that may operate, where the server is not asked on its own machine.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Orders the backup and waits for its end.
pub async fn run(options: Options) -> Result<(), Error> {
    let to =
        std::path::absolute(&options.to).map_err(|e| Error::usage(format!("--to {}: {e}", options.to.display())))?;
    let client = Client::new(&options.url, PATIENCE)?.with_key(options.key_file.as_deref())?;
    let client = client.with("Content-Type", "application/json").with("Accept", "application/json");
    let (began, mut told) = (Instant::now(), Instant::now());
    loop {
        let reply = client.send("POST", "/operate/backup", &json!({ "to": to }).to_string()).await?;
        let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        if reply.code != 200 {
            let detail = answer["detail"].as_str().unwrap_or(reply.body.trim());
            return Err(Error::run(format!("no backup: {detail}")));
        }
        if answer["done"] == true {
            console::say(done(&answer, &to));
            return Ok(());
        }
        if told.elapsed() >= AGAIN {
            told = Instant::now();
            console::note(format!("still copying after {} s", began.elapsed().as_secs()));
        }
    }
}

fn done(answer: &Value, to: &std::path::Path) -> String {
    let number = |name: &str| console::count(answer[name].as_u64().unwrap_or_default());
    format!(
        "{} files, {} bytes ({} files share the data's room on disk), all up to position {}, in {}",
        number("files"),
        number("bytes"),
        number("linked"),
        answer["position"],
        to.display()
    )
}

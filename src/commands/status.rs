//! `lamppost status`: asks the running server how it is, and tells it in words.

mod page;

use crate::app::glance::Glance;
use crate::client::Client;
use crate::{Error, console};
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between looks with `--watch`.
const AGAIN: Duration = Duration::from_secs(2);

/// What `status` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where the server's HTTP door is.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// File with a key that may operate, where the server is not asked on its own machine.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Print the server's own JSON.
    #[arg(long, conflicts_with_all = ["watch", "probe"])]
    json: bool,
    /// Look again every two seconds, until interrupted.
    #[arg(long, conflicts_with = "probe")]
    watch: bool,
    /// Ask one thing only, for machines that watch over containers.
    #[arg(long, value_enum, value_name = "WHAT")]
    probe: Option<Probe>,
}

/// What a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Probe {
    /// Whether it answers at all.
    Alive,
    /// Whether it takes readings in.
    Ready,
}

/// Asks and prints. Ends well when the server is well.
pub async fn run(options: Options) -> Result<(), Error> {
    let client = Client::new(&options.url, PATIENCE)?.with_key(options.key_file.as_deref())?;
    if let Some(probe) = options.probe {
        return ask(&client, probe).await;
    }
    loop {
        let body = client.get("/status").await?.good(client.host())?;
        let glance: Glance = serde_json::from_str(&body).map_err(|e| {
            Error::run(format!("{} answers, but not as a Lamppost of this version: {e}", client.host()))
        })?;
        match (options.json, options.watch) {
            (true, _) => console::say(body.trim_end()),
            (false, false) => console::say(page::text(&glance).trim_end()),
            (false, true) => console::replace(page::text(&glance).trim_end()),
        }
        if !options.watch {
            return verdict(&glance);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// What is wrong stands on the page already; here it only decides the exit code.
fn verdict(glance: &Glance) -> Result<(), Error> {
    if glance.well { Ok(()) } else { Err(Error::run(format!("not well: {}", glance.wrong.join("; ")))) }
}

/// One line, and an exit code for machines.
async fn ask(client: &Client, probe: Probe) -> Result<(), Error> {
    let (path, word) = match probe {
        Probe::Alive => ("/health", "alive"),
        Probe::Ready => ("/ready", "ready"),
    };
    let answer = client.get(path).await?;
    if answer.code == 200 {
        console::say(word);
        return Ok(());
    }
    Err(Error::run(format!("not {word}: {}", answer.body.trim())))
}

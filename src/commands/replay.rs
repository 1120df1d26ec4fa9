//! `lamppost replay`: rows of files as MQTT messages, over one connection, in their order.

use super::feed::{Feed, Pace};
use crate::config::{Secret, broker_url};
use crate::publisher::{Publisher, Target};
use crate::rows::bookmark::Bookmark;
use crate::rows::topic::Pattern;
use crate::runtime::Interrupts;
use crate::{Error, console};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What `replay` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// CSV files (the first line names the columns) or JSON-lines files, plain or .gz; replayed one after the other.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Broker or door to publish to.
    #[arg(long, value_name = "mqtt://HOST:PORT")]
    to: String,
    /// Topic of each row: {column} stands for a value of the row, {/a/b} for one deeper in a JSON object.
    #[arg(long, value_name = "TOPIC")]
    topic: String,
    /// Rows a second; as fast as they are acknowledged without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Delimiter of CSV files; guessed from their first line without it.
    #[arg(long, value_name = "CHAR", value_parser = super::delimiter)]
    delimiter: Option<u8>,
    /// 1: each row is acknowledged. 0: rows are sent without.
    #[arg(long, value_name = "QOS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    qos: u8,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Leave out the first N rows, counted over all files.
    #[arg(long, value_name = "N", conflicts_with = "state")]
    from: Option<u64>,
    /// Remember in this file how many rows are acknowledged, and go on from there next time.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// User of the broker.
    #[arg(long)]
    user: Option<String>,
    /// File with the user's password.
    #[arg(long, requires = "user", value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Replays, telling how far it is each second and summing up at the end.
pub async fn run(options: Options) -> Result<(), Error> {
    let pattern =
        Pattern::parse(&options.topic).map_err(|e| Error::usage(format!("--topic {:?}: {e}", options.topic)))?;
    let target = target(&options)?;
    let job = format!("replay to {} as {}", options.to, options.topic);
    let (bookmark, skip) = match &options.state {
        Some(file) => Bookmark::open(file, &job, &options.files).map(|(bookmark, rows)| (Some(bookmark), rows))?,
        None => (None, options.from.unwrap_or(0)),
    };
    let mut interrupts = Interrupts::listen()?;
    let publisher = Publisher::start(target);
    let stop = Arc::new(AtomicBool::new(false));
    let feed = Feed {
        files: options.files.clone(),
        delimiter: options.delimiter,
        pattern,
        skip,
        limit: options.limit.unwrap_or(u64::MAX),
        pace: Pace::new(options.rate),
        stop: stop.clone(),
        queue: publisher.queue(),
    };
    let start = Instant::now();
    let mut feeding = tokio::task::spawn_blocking(move || feed.run());
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    let fed = loop {
        tokio::select! {
            fed = &mut feeding => break fed.map_err(|e| Error::run(format!("reading broke down: {e}")))?,
            () = interrupts.next() => stop.store(true, Ordering::Release),
            _ = second.tick() => {
                console::progress(told(publisher.done(), start));
                bookmark.as_ref().map_or(Ok(()), |bookmark| bookmark.save(skip + publisher.done()))?;
            }
        }
    };
    let (done, sent) = publisher.finish(interrupts.next()).await;
    console::progress_end();
    bookmark.as_ref().map_or(Ok(()), |bookmark| bookmark.save(skip + done))?;
    console::say(told(done, start));
    let outcome = match (sent, fed) {
        (Err(lost), _) => Err(lost),
        (Ok(()), Err(wrong)) => Err(wrong.message),
        (Ok(()), Ok(_)) if stop.load(Ordering::Acquire) => Err("interrupted".to_owned()),
        (Ok(()), Ok(done)) => {
            if done.replaced > 0 {
                console::say(format!(
                    "{} topics had characters no level can have; they became `_`",
                    console::count(done.replaced)
                ));
            }
            Ok(())
        }
    };
    let go_on = match (&options.state, skip + done) {
        (Some(_), _) => "run the same again to go on".to_owned(),
        (None, 0) => "nothing was replayed".to_owned(),
        (None, rows) => format!("go on with --from {rows}"),
    };
    outcome.map_err(|why| Error::run(format!("{why}; {go_on}")))
}

/// How far it is.
fn told(done: u64, start: Instant) -> String {
    let seconds = start.elapsed().as_secs_f64();
    let rate = (done as f64 / seconds.max(0.001)) as u64;
    format!("{} rows in {seconds:.1} s, {} a second", console::count(done), console::count(rate))
}

/// Where to publish.
fn target(options: &Options) -> Result<Target, Error> {
    let url = broker_url(&options.to)
        .ok_or_else(|| Error::usage(format!("--to {:?}: write mqtt://host:port or mqtts://host:port", options.to)))?;
    let tls = url.scheme() == "mqtts";
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port().unwrap_or(if tls { 8883 } else { 1883 });
    let password = match &options.password_file {
        None => String::new(),
        Some(file) => std::fs::read_to_string(file).map_err(|e| Error::run(format!("{}: {e}", file.display())))?,
    };
    let login = options.user.clone().map(|user| (user, Secret::new(password.trim_end_matches(['\r', '\n']))));
    let client_id = format!("lamppost-replay-{}", std::process::id());
    Ok(Target { host, port, tls, client_id, login, acknowledged: options.qos == 1 })
}

//! `lamppost import`: history straight into a dataset, with the mapping its source has. No server may run on the folder.

use super::bulk::{Bulk, Fed};
use crate::app::{App, glance};
use crate::rows::bookmark::Bookmark;
use crate::rows::topic::Pattern;
use crate::runtime::Interrupts;
use crate::{Config, Error, console, contracts};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Rows read ahead of the store.
const AHEAD: usize = 4096;

/// What `import` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// CSV files (the first line names the columns) or JSON-lines files, plain or .gz; imported one after the other.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The dataset they belong to.
    #[arg(long, value_name = "ID")]
    dataset: String,
    /// Which of its sources maps them, counted from 0.
    #[arg(long, default_value_t = 0, value_name = "N")]
    source: usize,
    /// Topic as the devices would have used it, if the mapping takes the sensor from the topic: {column} as in replay.
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// The config file that names data, log and contracts.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "log", "contracts"])]
    config: Option<PathBuf>,
    /// Folder of the data.
    #[arg(long, value_name = "DIR", requires = "log")]
    data: Option<PathBuf>,
    /// Folder of the log.
    #[arg(long, value_name = "DIR", requires = "data")]
    log: Option<PathBuf>,
    /// Folder of the contracts.
    #[arg(long, value_name = "DIR", requires = "data")]
    contracts: Option<PathBuf>,
    /// Delimiter of CSV files; guessed from their first line without it.
    #[arg(long, value_name = "CHAR", value_parser = super::delimiter)]
    delimiter: Option<u8>,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Leave out the first N rows, counted over all files.
    #[arg(long, value_name = "N", conflicts_with = "state")]
    from: Option<u64>,
    /// Remember in this file how many rows are durable, and go on from there next time.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Imports, telling how far it is each second and summing up at the end.
pub async fn run(options: Options) -> Result<(), Error> {
    // Without a topic of its own a message still needs one, to be told of in rejects.
    let topic = options.topic.as_deref().unwrap_or("import");
    let pattern = Pattern::parse(topic).map_err(|e| Error::usage(format!("--topic {topic:?}: {e}")))?;
    let config = config(&options)?;
    let datasets = contracts::read(&config.contracts)?;
    let dataset = check_target(&datasets, &options)?;
    let job = format!("import into {}/{}", options.dataset, options.source);
    let (bookmark, skip) = match &options.state {
        Some(file) => Bookmark::open(file, &job, &options.files).map(|(bookmark, rows)| (Some(bookmark), rows))?,
        None => (None, options.from.unwrap_or(0)),
    };
    let app = App::open(&config, datasets, crate::app::clock()).await?;
    let mut import = app.import(&options.dataset, options.source)?;
    app.hold(true);
    let before = Counts::of(&app, &options.dataset);
    let start = Instant::now();
    let (queue, rows) = mpsc::channel(AHEAD);
    let stop = Arc::new(AtomicBool::new(false));
    let bulk = Bulk {
        files: options.files.clone(),
        delimiter: options.delimiter,
        pattern: pattern.clone(),
        dataset,
        source: options.source,
        now: import.now(),
        skip,
        limit: options.limit.unwrap_or(u64::MAX),
        stop: stop.clone(),
        queue,
    };
    let feeding = tokio::task::spawn_blocking(move || bulk.run());
    let mut interrupts = Interrupts::listen()?;
    let mut target = Target { import: &mut import, pattern: &pattern };
    let pushed = push(&mut target, rows, &stop, bookmark.as_ref(), skip, start, &mut interrupts).await;
    let sent = import.durable();
    let finished = tokio::select! {
        finished = import.finish() => finished.map_err(|e| Error::run(e.message)),
        () = interrupts.next() => Err(Error::run("interrupted before all was durable")),
    };
    let (done, finished) = match finished {
        Ok(done) => (done, Ok(())),
        Err(e) => (sent, Err(e)),
    };
    let fed = feeding.await.map_err(|e| Error::run(format!("reading broke down: {e}")))?;
    let after = Counts::of(&app, &options.dataset);
    app.hold(false);
    console::progress("filing what came in");
    app.settle().await?;
    app.close().await?;
    console::progress_end();
    bookmark.as_ref().map_or(Ok(()), |bookmark| bookmark.save(skip + done))?;
    sum_up(done, start, &before, &after);
    let go_on = match (&options.state, skip + done) {
        (Some(_), _) => "run the same again to go on".to_owned(),
        (None, 0) => "nothing was imported".to_owned(),
        (None, rows) => format!("go on with --from {rows}"),
    };
    let outcome = pushed.and(finished).and(fed);
    outcome.map_err(|e| Error { message: format!("{e}; {go_on}"), ..e })?;
    match stop.load(Ordering::Acquire) {
        true => Err(Error::run(format!("interrupted; {go_on}"))),
        false => Ok(()),
    }
}

/// The dataset and the source must be there; a source that takes its sensor from the topic needs one.
fn check_target(datasets: &[Arc<schemas::Dataset>], options: &Options) -> Result<Arc<schemas::Dataset>, Error> {
    let Some(dataset) = datasets.iter().find(|dataset| *dataset.id == *options.dataset) else {
        let ids: Vec<&str> = datasets.iter().map(|dataset| &*dataset.id).collect();
        return Err(Error::usage(format!("--dataset {:?}: the contracts have {}", options.dataset, ids.join(", "))));
    };
    let Some(source) = dataset.sources.get(options.source) else {
        let last = dataset.sources.len().saturating_sub(1);
        return Err(Error::usage(format!("--source {}: {} has sources 0 to {last}", options.source, dataset.id)));
    };
    if options.topic.is_none() && source.sensor.deepest_level().is_some() {
        let filter = source.mqtt.as_ref().map_or("", |filter| filter.as_str());
        return Err(Error::usage(format!(
            "{} takes the sensor from the topic ({filter}): give one with --topic, a column in braces for the sensor",
            source.name
        )));
    }
    Ok(dataset.clone())
}

/// Hands rows to the import until they end or the person wants it to end.
async fn push(
    target: &mut Target<'_>,
    mut rows: mpsc::Receiver<Fed>,
    stop: &AtomicBool,
    bookmark: Option<&Bookmark>,
    skip: u64,
    start: Instant,
    interrupts: &mut Interrupts,
) -> Result<(), Error> {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    loop {
        tokio::select! {
            row = rows.recv() => {
                let Some(row) = row else { return Ok(()) };
                // A store that takes nothing must not keep the person waiting. What is cut off here comes after all that is
                // counted as durable.
                tokio::select! {
                    pushed = target.take(row) => pushed?,
                    () = interrupts.next() => {
                        stop.store(true, Ordering::Release);
                        return Ok(());
                    }
                }
            }
            () = interrupts.next() => stop.store(true, Ordering::Release),
            _ = second.tick() => {
                console::progress(told(target.import.durable(), start));
                bookmark.map_or(Ok(()), |bookmark| bookmark.save(skip + target.import.durable()))?;
            }
        }
    }
}

/// Where rows go.
struct Target<'a> {
    import: &'a mut ingest::import::Import,
    /// Makes the topics of rows.
    pattern: &'a Pattern,
}

impl Target<'_> {
    /// Takes a row, or a block of rows.
    async fn take(&mut self, fed: Fed) -> Result<(), Error> {
        let (block, read, _room) = match fed {
            Fed::Row(row) => return self.push(row).await,
            Fed::Block(block, read, room) => (block, read, room),
        };
        for piece in read.await.map_err(|e| Error::run(format!("reading broke down: {e}")))? {
            let Some(batch) = piece.batch else {
                for row in block.messages(piece.bytes, self.pattern)? {
                    self.push(row).await?;
                }
                continue;
            };
            let (block, pattern, now) = (block.clone(), self.pattern.clone(), self.import.now());
            let otherwise = move || {
                // They were read once, so they are rows.
                let rows = block.messages(piece.bytes, &pattern).unwrap_or_default();
                rows.into_iter().map(|row| ingest::Message::new(row.topic.into(), row.payload, now)).collect()
            };
            let pushed = self.import.push_readings(batch, piece.rows, Box::new(otherwise)).await;
            pushed.map_err(|e| Error::run(e.message))?;
        }
        Ok(())
    }

    async fn push(&mut self, row: crate::Message) -> Result<(), Error> {
        self.import.push(&row.topic.into(), row.payload).await.map_err(|e| Error::run(e.message))
    }
}

/// Where things are: from the config file, or from the folders named.
fn config(options: &Options) -> Result<Config, Error> {
    if let (Some(data), Some(log)) = (&options.data, &options.log) {
        let mut config = Config::new(Path::new("."));
        config.store = store::Config::new(log.clone(), data.clone());
        config.contracts = options.contracts.clone().unwrap_or(config.contracts);
        return Ok(config);
    }
    let file = options.config.clone().unwrap_or_else(|| PathBuf::from("lamppost.toml"));
    // Doors stay shut here, so what they may be open to does not matter.
    Ok(Config::read(&file, true)?)
}

/// What had come in, to tell what the import added.
struct Counts {
    readings: u64,
    rejects: BTreeMap<String, u64>,
}

impl Counts {
    fn of(app: &App, dataset: &str) -> Counts {
        let mut rejects = BTreeMap::new();
        for rejected in glance::rejects(app.reader()) {
            *rejects.entry(rejected.reason).or_default() += rejected.count;
        }
        Counts { readings: app.readings(dataset), rejects }
    }
}

fn told(rows: u64, start: Instant) -> String {
    let seconds = start.elapsed().as_secs_f64();
    let rate = (rows as f64 / seconds.max(0.001)) as u64;
    format!("{} rows in {seconds:.1} s, {} a second", console::count(rows), console::count(rate))
}

fn sum_up(rows: u64, start: Instant, before: &Counts, after: &Counts) {
    console::say(told(rows, start));
    console::say(format!("{} readings", console::count(after.readings - before.readings)));
    for (reason, count) in &after.rejects {
        let added = count.saturating_sub(before.rejects.get(reason).copied().unwrap_or(0));
        if added > 0 {
            console::say(format!("{} rejects: {reason}", console::count(added)));
        }
    }
}

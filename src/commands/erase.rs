//! `lamppost erase`: has the running server forget readings, after showing which; `--log` lists what was erased.

use crate::client::{Answer, Client};
use crate::{Error, console};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// How long the server may take: it counts the readings first.
const PATIENCE: Duration = Duration::from_secs(600);

/// What `erase` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The dataset.
    #[arg(required_unless_present = "log")]
    dataset: Option<String>,
    /// The sensor whose readings go.
    #[arg(long, required_unless_present = "log", value_name = "ID")]
    sensor: Option<String>,
    /// The first instant: 2026-11-20T08:15:00Z, or 2026-11-20 for the start of that UTC day.
    #[arg(long, required_unless_present = "log", value_name = "TIME")]
    from: Option<String>,
    /// The first instant that stays.
    #[arg(long, required_unless_present = "log", value_name = "TIME")]
    to: Option<String>,
    /// Erase the values of this field only. Repeatable; without it whole readings go.
    #[arg(long = "field", value_name = "FIELD")]
    fields: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// List what was erased, when and by whom.
    #[arg(long, conflicts_with_all = ["dataset", "sensor", "from", "to", "fields", "yes"])]
    log: bool,
    /// Where the server's HTTP door is.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// File with a key that may operate, where the server is not asked on its own machine.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// What the server says of an erasure.
#[derive(Debug, Deserialize)]
struct Told {
    dataset: String,
    sensor: String,
    from: String,
    to: String,
    /// Whether it is more than was asked for.
    widened: bool,
    fields: Vec<String>,
    rows: u64,
    tiers: Vec<String>,
    frozen: bool,
}

/// What stands in the audit log.
#[derive(Debug, Deserialize)]
struct Act {
    time: String,
    who: String,
    dataset: String,
    sensor: String,
    from: String,
    to: String,
    fields: Vec<String>,
    rows: u64,
}

/// Shows, asks and erases.
pub async fn run(options: Options) -> Result<(), Error> {
    let client = Client::new(&options.url, PATIENCE)?.with_key(options.key_file.as_deref())?;
    let client = client.with("Content-Type", "application/json");
    if options.log {
        let answer: Value = order(&client, "audit", &json!({})).await?;
        let acts: Vec<Act> = serde_json::from_value(answer["data"].clone()).map_err(|e| strange(&e))?;
        acts.iter().for_each(|act| console::say(line(act)));
        return Ok(());
    }
    let mut words = json!({
        "dataset": options.dataset,
        "sensor": options.sensor,
        "from": options.from,
        "to": options.to,
        "fields": options.fields,
        "dry_run": true,
    });
    let told: Told = serde_json::from_value(order(&client, "erase", &words).await?).map_err(|e| strange(&e))?;
    console::say(preview(&told));
    if !options.yes && !console::agreed("Erase them? They do not come back. [y/N] ") {
        return Err(Error::run("nothing was erased"));
    }
    words["dry_run"] = false.into();
    let told: Told = serde_json::from_value(order(&client, "erase", &words).await?).map_err(|e| strange(&e))?;
    console::say(format!("erased {} from {} of {}", readings(told.rows), told.sensor, told.dataset));
    Ok(())
}

/// Has the server do something.
async fn order(client: &Client, act: &str, words: &Value) -> Result<Value, Error> {
    let answer = client.send("POST", &format!("/operate/{act}"), &words.to_string()).await?;
    match answer.code {
        200 => serde_json::from_str(&answer.body).map_err(|e| strange(&e)),
        _ => Err(refused(&answer)),
    }
}

/// What the server has against it. What it does not know was asked for wrongly.
fn refused(answer: &Answer) -> Error {
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let message = problem["detail"].as_str().unwrap_or(answer.body.trim()).to_owned();
    if matches!(answer.code, 400 | 404) { Error::usage(message) } else { Error::run(message) }
}

fn strange(error: &serde_json::Error) -> Error {
    Error::run(format!("the server's answer is not one of this version: {error}"))
}

/// What an erasure would do, in words.
fn preview(told: &Told) -> String {
    let Told { dataset, sensor, from, to, .. } = told;
    let what = match told.fields.as_slice() {
        [] => "whole readings".to_owned(),
        fields => format!("values of {}", fields.join(", ")),
    };
    let mut text = format!("{} of {sensor} in {dataset}, from {from} to {to}: {what}", readings(told.rows));
    if !told.tiers.is_empty() {
        text.push_str(&format!("\nsummed up in {}, which follow", told.tiers.join(", ")));
    }
    if told.frozen {
        text.push_str(
            "\nraw readings of that time are gone in part: what is left of it in the tiers goes, by whole windows",
        );
    }
    if told.widened {
        text.push_str("\nthis is more than was asked for: whole windows only");
    }
    text
}

fn readings(rows: u64) -> String {
    match rows {
        1 => "1 reading".to_owned(),
        many => format!("{} readings", console::count(many)),
    }
}

/// An act on one line.
fn line(act: &Act) -> String {
    let Act { time, who, dataset, sensor, from, to, fields, rows } = act;
    let fields = if fields.is_empty() { "all fields".to_owned() } else { fields.join(", ") };
    format!("{time}  {dataset}  {sensor}  {from} to {to}  {fields}  {}  by {who}", readings(*rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_go_is_told_before_it_goes() {
        let told = Told {
            dataset: "air".into(),
            sensor: "a1".into(),
            from: "2026-11-20T00:00:00Z".into(),
            to: "2026-11-21T00:00:00Z".into(),
            widened: true,
            fields: vec!["co2".into()],
            rows: 1440,
            tiers: vec!["15m".into(), "1h".into()],
            frozen: true,
        };
        let text = preview(&told);
        for part in ["1 440 readings of a1 in air", "values of co2", "15m, 1h", "gone in part", "more than was asked"] {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
    }

    #[test]
    fn what_the_server_does_not_know_is_wrong_usage() {
        let body = r#"{"detail":"no sensor \"x\" in dataset \"air\""}"#;
        let error = refused(&Answer { code: 404, body: body.to_owned() });
        assert_eq!((error.kind, error.message.as_str()), (crate::Kind::Usage, "no sensor \"x\" in dataset \"air\""));
        assert_eq!(refused(&Answer { code: 503, body: "no".to_owned() }).kind, crate::Kind::Run);
    }
}

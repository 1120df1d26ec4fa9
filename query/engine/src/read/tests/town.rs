//! What the questions of `benches/questions` cost inside the engine, on a town that this bench has loaded:
//! `LAMPPOST_TOWN=<a copy of its folder lamppost> cargo test --release -p engine town -- --ignored --nocapture`.

use super::ask;
use crate::question::{Group, Latest, Readings};
use crate::{Config, Engine, Question};
use schemas::time::{DAY, HOUR};
use schemas::{Bucket, Time, contract};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The engine over the loaded town, and the first instant after its readings.
async fn open(folder: &Path) -> (Engine, store::Writer, Time) {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benches/questions/contracts");
    let text = |name: &str| {
        let file = contracts.join(format!("{name}.toml"));
        contract::Text { toml: std::fs::read_to_string(&file).expect("a contract"), file, registry: None }
    };
    let datasets = contract::parse(&[text("air"), text("traffic")]).expect("contracts");
    let settings = store::Config::new(folder.join("log"), folder.join("data"));
    let clock: store::Clock = Arc::new(|| Time(jiff::Timestamp::now().as_microsecond()));
    let (writer, reader) = store::open(settings, datasets, clock.clone()).await.expect("the town opens");
    let (_, last) = reader.snapshot("air").expect("air").extent().expect("readings");
    let engine = Engine::new(reader, clock, Config { cache_bytes: 0, ..Config::default() }).expect("threads");
    (engine, writer, Time(last.0 - last.0.rem_euclid(HOUR) + HOUR))
}

/// The questions of the bench.
fn questions(crossing: &str, to: Time, days: i64) -> Vec<(&'static str, Question)> {
    let from = to.plus(-days * DAY);
    let hour = Bucket::Duration(HOUR);
    let aggregates = |dataset: &str, from, bucket, group, fields: &[&str]| {
        let mut asked = ask(from, to, bucket, group, fields);
        asked.dataset = dataset.to_owned();
        asked
    };
    let mut one = aggregates("traffic", from, hour, Group::Sensor, &["cars_sum"]);
    one.sensors = vec![crossing.to_owned()];
    let mut busiest = aggregates("traffic", to.plus(-DAY), Bucket::Day, Group::Sensor, &["cars_sum"]);
    (busiest.order, busiest.limit) = ("-cars_sum".parse().ok(), Some(10));
    let latest = Latest {
        dataset: "air".to_owned(),
        sensors: Vec::new(),
        attributes: Vec::new(),
        fields: vec!["co2".to_owned()],
        order: None,
        limit: None,
        tz: None,
    };
    let raw = Readings {
        dataset: "traffic".to_owned(),
        sensors: one.sensors.clone(),
        from: to.plus(-DAY),
        to,
        fields: Vec::new(),
        cursor: None,
        limit: Some(10_000),
        tz: None,
    };
    let city = |fields: &[&str]| Question::Aggregates(aggregates("air", from, hour, Group::None, fields));
    let mut all = vec![
        ("one crossing, hourly cars", Question::Aggregates(one)),
        ("CO2 per hour, all stations", city(&["co2_mean"])),
        ("the same with default functions", city(&["co2"])),
        ("newest CO2 of every station", Question::Latest(latest)),
        ("ten busiest crossings of a day", Question::Aggregates(busiest)),
        (
            "p95 CO2 per station, sketch",
            Question::Aggregates(aggregates("air", from, Bucket::Month, Group::Sensor, &["co2_p95_sketch"])),
        ),
        ("one crossing's readings of a day", Question::Readings(raw)),
    ];
    if days <= 2 {
        let exact = aggregates("air", from, Bucket::Month, Group::Sensor, &["co2_p95"]);
        all.push(("p95 CO2 per station, exact", Question::Aggregates(exact)));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "a measurement is for a person to read")]
async fn town() {
    let Ok(folder) = std::env::var("LAMPPOST_TOWN") else { return };
    let days = std::env::var("LAMPPOST_DAYS").ok().and_then(|days| days.parse().ok()).unwrap_or(30);
    let (engine, _writer, to) = open(Path::new(&folder)).await;
    let crossing = engine.reader().snapshot("traffic").expect("traffic").sensors.ids[77].clone();
    for (what, question) in questions(&crossing, to, days) {
        let (mut plans, mut answers, mut rows, mut tiers) = (Vec::new(), Vec::new(), 0, Vec::new());
        for _ in 0..31 {
            let began = Instant::now();
            let resolved = match engine.resolve(question.clone()) {
                Ok(resolved) => resolved,
                Err(error) => {
                    println!("{what}: {error}");
                    break;
                }
            };
            plans.push(began.elapsed());
            let began = Instant::now();
            let answer = engine.answer(&resolved).await.expect("an answer");
            answers.push(began.elapsed());
            (rows, tiers) = (answer.rows, answer.meta.tiers);
        }
        if let Some(first) = answers.first().copied() {
            plans.sort();
            answers.sort();
            let (plan, answer) = (plans[plans.len() / 2], answers[answers.len() / 2]);
            println!("{what}: {rows} rows of {tiers:?}, plan {plan:?}, answer {answer:?}, first {first:?}");
        }
    }
}

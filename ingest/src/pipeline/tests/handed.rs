//! What doors have read by themselves and hand over: parcels and sheaves.

use super::{NOW, catalog};
use crate::pipeline::*;
use crate::sheaf::Sheaf;
use crate::topics::Topics;
use schemas::time::HOUR;
use schemas::{ABSENT, Batch};

/// A parcel of these lines of `radar` sensors at these instants: what is no sensor's is refused by line.
#[test]
fn of_a_parcel_each_line_is_refused_by_itself_and_the_rest_taken() {
    let body: &[u8] = b"a 1\nb 2\r\nc 3\nd 4";
    let take = |max: usize, known: &[&str], old: i64| {
        let catalog = catalog();
        let mut pipeline =
            Pipeline::new(catalog.clone(), Config::default(), &[known.iter().map(|&id| id.into()).collect()]);
        let mut dataset = (*catalog.datasets[0]).clone();
        dataset.max_sensors = max;
        let mut batch = Batch::new(Arc::new(dataset));
        batch.sensors = ["a", "b", "c", "d"].map(Arc::from).to_vec();
        (batch.sensor, batch.time) = (vec![3, 1, 0, 2], [40, 20, 10, 30].map(|hour| hour * HOUR).to_vec());
        batch.columns = vec![vec![4, 2, 1, 3], vec![ABSENT; 4], vec![ABSENT; 4]];
        let readings = crate::parcel::Readings { route: 0, batch, at: vec![13, 4, 0, 9] };
        let refused = Refusal::new(Reason::InvalidPayload, "the door could not read it");
        let refused = crate::parcel::Refused { at: 9, route: None, field: "".into(), refusal: refused };
        let parcel = crate::Parcel {
            topic: "/write".into(),
            body: body.into(),
            readings: vec![readings],
            refused: vec![refused],
        };
        let mut gather = pipeline.begin();
        gather.outcome = Some(crate::Outcome::default());
        let too_old = |_: &str, time: Time| time.0 == old * HOUR;
        pipeline.take_parcel(parcel, NOW, Past { mark: &|_| None, too_old: &too_old }, &mut gather);
        let batch = &gather.batches[0];
        let rows: Vec<String> = (0..batch.len())
            .map(|row| format!("{}{}", batch.sensors[batch.sensor[row] as usize], batch.columns[0][row]))
            .collect();
        let rejects = gather.rejects.iter();
        let rejects =
            rejects.map(|r| format!("{} {}", String::from_utf8_lossy(&r.payload), r.reason.name())).collect::<Vec<_>>();
        let told = gather.outcome.take().expect("asked for");
        assert_eq!(told.refused as usize, rejects.len());
        assert_eq!(batch.sensors.len(), rows.len(), "only sensors with rows");
        (rows.join(" "), rejects.join(", "), told.told.iter().map(|refused| refused.at).collect::<Vec<_>>())
    };
    let all = take(6, &[], 0);
    assert_eq!(all, ("d4 b2 a1 c3".into(), "c 3 invalid_payload".into(), vec![9]));
    let old = take(6, &[], 20);
    assert_eq!(old, ("d4 a1 c3".into(), "c 3 invalid_payload, b 2 too_old".into(), vec![9, 4]));
    let full = take(3, &["b", "x"], 0);
    let rejects = "c 3 invalid_payload, d 4 too_many_sensors, c 3 too_many_sensors";
    assert_eq!((full.0.as_str(), full.1.as_str()), ("b2 a1", rejects), "one more sensor, and those known");
}

/// A door's sheaf goes in in its order, whether its messages are plain or not, and what was read keeps its sensor's number.
#[test]
fn a_sheaf_keeps_the_order_of_arrival() {
    let mut pipeline = Pipeline::new(catalog(), Config::default(), &[]);
    let (mut topics, mut sheaf) = (Topics::new(catalog(), 2, 2000), Sheaf::default());
    let past = Past { mark: &|_| None, too_old: &|_, _| false };
    for round in 0..3 {
        let mut gather = pipeline.begin();
        let mut text = Vec::new();
        for (value, sensor) in [(400, "a"), (401, "b"), (402, "a"), (403, "a")] {
            let topic: Arc<str> = format!("city/{sensor}/air").into();
            let number = topics.find(topic.as_bytes()).or_else(|| topics.add(&topic, true)).unwrap();
            // The third says more than a value: it goes in as a message.
            let more = if value == 402 { r#","lon":14.1,"lat":49.3"# } else { "" };
            let payload = format!(r#"{{"ts":"2026-11-20T11:00:00Z","co2":{value}{more}}}"#);
            let from = text.len();
            text.extend(payload.as_bytes());
            let plain = sheaf.read(&mut topics, number, (&text, from, text.len()), NOW);
            assert_eq!(plain, more.is_empty());
            if !plain {
                sheaf.push(Message::new(topic, payload.into(), NOW));
            }
        }
        sheaf.text(text.into());
        pipeline.take_sheaf(&mut sheaf, &mut topics, NOW, past, &mut gather);
        let batch = &gather.batches[0];
        let sensors = batch.sensor.iter().map(|sensor| &*batch.sensors[*sensor as usize]).collect::<Vec<_>>();
        assert_eq!((sensors, &batch.columns[0][..]), (vec!["a", "b", "a", "a"], &[400, 401, 402, 403][..]), "{round}");
        assert_eq!(gather.rejects.len(), 0);
        assert!(sheaf.is_empty());
    }
    assert!(topics.is_full() && topics.add(&"city/c/air".into(), true).is_none(), "two topics are remembered");
}

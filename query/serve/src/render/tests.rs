//! Golden answers: every kind of column, in both formats.

use super::page;
use crate::format::Format;
use engine::{Answer, Column, FieldInfo, Meta, MetaField, Values};
use schemas::{Day, Resolution, Text, Time, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2026-10-25T00:30:00Z: half past two in Prague, an hour before it is so again.
const BEFORE_CHANGE: i64 = 1_792_888_200_000_000;

fn text(words: &[(&str, &str)]) -> Text {
    words.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn answer() -> Answer {
    let prague = Zone::parse("Europe/Prague").expect("a zone");
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let time = |micros: i64| Some(Time(micros));
    let info = FieldInfo {
        name: "co2".into(),
        title: text(&[("en", "CO2")]),
        unit: "ppm".to_owned(),
        symbol: "ppm".to_owned(),
        kind: "gauge",
        resolution: Resolution::of_scale(1).expect("kept"),
        range: Some((3000, 100_005)),
        values: Vec::new(),
        functions: vec!["mean".to_owned(), "max".to_owned()],
    };
    let columns = vec![
        column(
            "start",
            Values::Time {
                zone: prague.clone(),
                values: vec![
                    time(BEFORE_CHANGE),
                    time(BEFORE_CHANGE + 3_600_000_000),
                    time(BEFORE_CHANGE + 3_600_250_000),
                ],
            },
        ),
        column("sensor", Values::Text(vec![Some("a, \"b\"".into()), Some("".into()), None])),
        column("co2_n", Values::Int(vec![Some(3), Some(i64::MIN), None])),
        column("co2_mean", Values::Decimal { scale: 4, values: vec![Some(4_123_350), Some(-5), None] }),
        column("lon", Values::Real(vec![Some(14.1475), Some(-0.5), None])),
        column("registered", Values::Bool(vec![Some(true), Some(false), None])),
        column(
            "attributes",
            Values::Map(vec![Some(text(&[("floor", "2"), ("street", "Hlavní")])), Some(BTreeMap::new()), None]),
        ),
        column("fields", Values::Fields(vec![Some(vec![info]), Some(Vec::new()), None])),
        column("tiers", Values::List(vec![Some(vec!["raw".to_owned(), "1h".to_owned()]), Some(Vec::new()), None])),
    ];
    let meta = Meta {
        dataset: Some("air".into()),
        from: time(BEFORE_CHANGE),
        to: time(BEFORE_CHANGE + 7_200_000_000),
        bucket: Some("1h".to_owned()),
        tz: Some(prague),
        fields: vec![MetaField {
            column: "co2_n".to_owned(),
            field: Arc::from("co2"),
            function: Some("n".to_owned()),
            unit: None,
            by_sketch: false,
        }],
        tiers: vec!["raw"],
        dirty_days: vec![Day(20_000)],
        next: Some("abc".to_owned()),
        ..Meta::default()
    };
    Answer { meta, columns, rows: 3 }
}

fn rendered(answer: &Answer, format: Format) -> (Option<String>, String) {
    let packed = page::pack(answer, format);
    let (cursor, body) = page::unpack(&packed);
    (cursor.map(str::to_owned), String::from_utf8(body.to_vec()).expect("UTF-8"))
}

#[test]
fn json_is_flat_rows_and_meta() {
    let (cursor, body) = rendered(&answer(), Format::Json);
    assert_eq!(cursor.as_deref(), Some("abc"));
    let expected = r#"{"data":[
{"start":"2026-10-25T02:30:00+02:00","sensor":"a, \"b\"","co2_n":3,"co2_mean":412.335,"lon":14.1475,"registered":true,"attributes":{"floor":"2","street":"Hlavní"},"fields":[{"name":"co2","title":{"en":"CO2"},"unit":"ppm","symbol":"ppm","kind":"gauge","resolution":0.1,"range":[300,10000.5],"functions":["mean","max"]}],"tiers":["raw","1h"]},
{"start":"2026-10-25T02:30:00+01:00","sensor":"","co2_n":-9223372036854775808,"co2_mean":-0.0005,"lon":-0.5,"registered":false,"attributes":{},"fields":[],"tiers":[]},
{"start":"2026-10-25T02:30:00.25+01:00","sensor":null,"co2_n":null,"co2_mean":null,"lon":null,"registered":null,"attributes":null,"fields":null,"tiers":null}
],"meta":{"dataset":"air","from":"2026-10-25T02:30:00+02:00","to":"2026-10-25T03:30:00+01:00","widened":false,"bucket":"1h","tz":"Europe/Prague","fields":[{"column":"co2_n","field":"co2","function":"n","unit":null}],"tiers":["raw"],"dirty_days":["2024-10-04"],"rows":3,"next":"abc"}}
"#;
    assert_eq!(body, expected);
    assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
}

#[test]
fn csv_has_the_same_names_and_values() {
    let (cursor, body) = rendered(&answer(), Format::Csv);
    assert_eq!(cursor.as_deref(), Some("abc"));
    let expected = "start,sensor,co2_n,co2_mean,lon,registered,attributes_floor,attributes_street,fields,tiers\r\n\
        2026-10-25T02:30:00+02:00,\"a, \"\"b\"\"\",3,412.335,14.1475,true,2,Hlavní,co2,raw;1h\r\n\
        2026-10-25T02:30:00+01:00,\"\",-9223372036854775808,-0.0005,-0.5,false,,,\"\",\"\"\r\n\
        2026-10-25T02:30:00.25+01:00,,,,,,,,,\r\n";
    assert_eq!(body, expected);
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("CSV");
    assert_eq!(rows.len(), 3);
    assert_eq!(&rows[0][1], "a, \"b\"");
}

#[test]
fn an_empty_answer_is_still_a_document() {
    let empty = Answer { meta: Meta::default(), columns: Vec::new(), rows: 0 };
    assert_eq!(rendered(&empty, Format::Json), (None, "{\"data\":[\n],\"meta\":{\"rows\":0}}\n".to_owned()));
    assert_eq!(rendered(&empty, Format::Csv), (None, "\r\n".to_owned()));
}

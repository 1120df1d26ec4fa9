//! The scanner against serde_json: same verdict on every payload, same values at every wanted place.

use super::*;
use crate::decode::Shape;
use schemas::template::Pointer;

fn pointers(texts: &[&str]) -> Vec<Pointer> {
    texts.iter().map(|text| Pointer::parse(text).expect("a pointer")).collect()
}

/// The text of each wanted value of each record; `-` for absent, `#` for nested.
fn read(wanted: &[&str], text: &str) -> Result<Vec<Vec<String>>, Fault> {
    let pointers = pointers(wanted);
    let (shape, slots) = Shape::new(&pointers.iter().collect::<Vec<_>>());
    let mut decoded = Decoded::default();
    decoded.read(&shape, text)?;
    let show = |value: Value<'_>| match value {
        Value::Absent => "-".to_owned(),
        Value::Nested => "#".to_owned(),
        scalar => scalar.text().unwrap_or_default().to_owned(),
    };
    let record = |record| slots.iter().map(|slot| show(decoded.value(text, record, *slot))).collect();
    Ok((0..decoded.records()).map(record).collect())
}

#[test]
fn wanted_values_are_found_wherever_they_stand() {
    let found = |wanted: &[&str], text: &str| read(wanted, text).expect("JSON")[0].clone();
    assert_eq!(found(&["/a"], r#"{"a":1.50}"#), ["1.50"]);
    assert_eq!(found(&["/b", "/a"], r#" { "a" : true , "b" : "x" } "#), ["x", "true"]);
    assert_eq!(found(&["/a/b", "/a/c"], r#"{"z":{"b":0},"a":{"c":-1e3,"q":[{}],"b":null}}"#), ["-", "-1e3"]);
    assert_eq!(found(&["/a/1/v", "/a/0"], r#"{"a":[7,{"v":8}]}"#), ["8", "7"]);
    assert_eq!(found(&["/a", "/a/b"], r#"{"a":{"b":2}}"#), ["#", "2"]);
    assert_eq!(found(&["/1"], r#"{"1":"key"}"#), ["key"]);
    assert_eq!(found(&["/a~1b", "/c~0d"], r#"{"a/b":1,"c~d":2}"#), ["1", "2"]);
    assert_eq!(found(&["/ä"], r#"{"\u00e4":"\u017eluť\n"}"#), ["žluť\n"]);
    assert_eq!(found(&["/a"], r#"{"a":"\ud800"}"#), ["#"], "half a surrogate pair is no text");
    assert_eq!(found(&["/a"], "{}"), ["-"]);
}

#[test]
fn of_a_key_that_occurs_twice_the_last_wins() {
    assert_eq!(read(&["/a"], r#"{"a":1,"a":2}"#).expect("JSON")[0], ["2"]);
    assert_eq!(read(&["/a"], r#"{"a":1,"a":null}"#).expect("JSON")[0], ["-"]);
    assert_eq!(read(&["/a/b", "/a/c"], r#"{"a":{"b":1},"a":{"c":2}}"#).expect("JSON")[0], ["-", "2"]);
    assert_eq!(read(&["/a/b"], r#"{"a":{"b":1},"a":3}"#).expect("JSON")[0], ["-"]);
}

#[test]
fn an_array_gives_a_record_per_object_and_names_the_rest() {
    let pointers = pointers(&["/v"]);
    let (shape, slots) = Shape::new(&pointers.iter().collect::<Vec<_>>());
    let text = r#"[{"v":1},2,{"v":"3"},[{"v":4}]]"#;
    let mut decoded = Decoded::default();
    decoded.read(&shape, text).expect("JSON");
    assert_eq!((decoded.records(), &decoded.odd[..]), (2, &[1, 3][..]));
    assert_eq!(decoded.value(text, 1, slots[0]), Value::Text("3".into()));
}

#[test]
fn faults_name_the_place() {
    for (text, at, expected) in [
        ("", 0, "an object or an array of objects"),
        ("7", 0, "an object or an array of objects"),
        ("{\"a\":1", 6, "`,` or `}`"),
        ("{\"a\":}", 5, "a value"),
        ("{\"a\" 1}", 5, "`:`"),
        ("{a:1}", 1, "a key in quotes"),
        ("{\"a\":01}", 6, "`,` or `}`"),
        ("{\"a\":1.}", 7, "a digit"),
        ("{\"a\":\"\\x\"}", 7, "an escape such as `\\n` or `\\u00e4`"),
        ("{}{}", 2, "the end"),
        ("[{},]", 4, "a value"),
        ("{\"a\":nul}", 5, "`true`, `false` or `null`"),
    ] {
        assert_eq!(read(&["/a"], text), Err(Fault { at, expected }), "{text}");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(65), "1");
    assert_eq!(read(&["/a"], &deep).expect_err("too deep").expected, "at most 64 levels of nesting");
}

/// A small generator of numbers from a seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    fn json(&mut self, depth: u64) -> String {
        match self.roll(if depth > 3 { 6 } else { 9 }) {
            0 => "null".into(),
            1 => ["true", "false"][self.roll(2) as usize].into(),
            2 => format!("{}", self.roll(1000)),
            3 => format!("-{}.{:03}e{}", self.roll(100), self.roll(1000), self.roll(5)),
            4 => format!("\"{}\"", ["x", "a b", "\\n", "\\u00e4", "ß"][self.roll(5) as usize]),
            5 => "\"\"".into(),
            6 => self.list('[', ']', |dice| dice.json(depth + 1)),
            _ => self.list('{', '}', |dice| {
                let key = ["a", "b", "c", "\\u0061", "0"][dice.roll(5) as usize];
                format!("\"{key}\"{}:{}", " ".repeat(dice.roll(2) as usize), dice.json(depth + 1))
            }),
        }
    }

    fn list(&mut self, open: char, close: char, element: impl Fn(&mut Dice) -> String) -> String {
        let elements: Vec<String> = (0..self.roll(4)).map(|_| element(self)).collect();
        format!("{open}{}{close}", elements.join(","))
    }
}

#[test]
fn it_agrees_with_serde_json_on_anything() {
    let wanted = ["/a", "/a/b", "/b/0", "/c/a/a", "/0", "/a/0/a"];
    for seed in 1..=20_000 {
        let mut dice = Dice(seed * 0x9e37_79b9);
        let mut text =
            dice.list('{', '}', |dice| format!("\"{}\":{}", ["a", "b", "c", "0"][dice.roll(4) as usize], dice.json(0)));
        if dice.roll(3) == 0 {
            let at = dice.roll(text.len() as u64 + 1) as usize;
            if text.is_char_boundary(at) {
                text.insert_str(at, ["}", "\"", ",", "0", "\\", "e", "\u{1}"][dice.roll(7) as usize]);
            }
        }
        let truth: Result<serde_json::Value, _> = serde_json::from_str(&text);
        let found = read(&wanted, &text);
        let Ok(truth) = truth else {
            assert!(found.is_err(), "{text} is not JSON");
            continue;
        };
        let found = found.unwrap_or_else(|fault| panic!("{text}: {fault}"));
        for (pointer, found) in wanted.iter().zip(&found[0]) {
            let right = match truth.pointer(pointer) {
                None | Some(serde_json::Value::Null) => "-".to_owned(),
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(serde_json::Value::Object(_) | serde_json::Value::Array(_)) => "#".to_owned(),
                Some(scalar) => scalar.to_string(),
            };
            let same = *found == right || found.parse::<f64>().ok().is_some_and(|n| Ok(n) == right.parse::<f64>());
            assert!(same, "{text} at {pointer}: {found}, not {right}");
        }
    }
}

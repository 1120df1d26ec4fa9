//! How fast lines are read. By hand: `cargo test --release -p ingest lines_are_read -- --ignored --nocapture`.

use super::*;
use std::fmt::Write;

/// Contracts of two measurements of four and five fields.
fn town() -> Catalog {
    let field = |name: &str, unit: &str, resolution: &str, range: &str| {
        format!(
            "[[field]]\nname = \"{name}\"\nunit = \"{unit}\"\nkind = \"gauge\"\nresolution = {resolution}\nrange = {range}\n"
        )
    };
    let head = |id: &str| {
        format!(
            "id = \"{id}\"\ntitle = \"{id}\"\ndescription = \"x\"\nlicense = \"CC-BY-4.0\"\npublisher = \"x\"\nzone = \"UTC\"\nevery = \"1m\"\n"
        )
    };
    let air = head("air")
        + &field("co2", "ppm", "1", "[0, 10000]")
        + &field("temperature", "Cel", "0.1", "[-40, 60]")
        + &field("humidity", "%", "0.1", "[0, 100]")
        + &field("pm10", "ug/m3", "0.1", "[-10, 1000]")
        + "[[source]]\nline = \"air\"\nsensor = \"{sensor}\"\nmap = { co2 = \"co2\", temperature = \"temperature\", humidity = \"humidity\", pm10 = \"pm10\" }\n";
    let traffic = head("traffic")
        + &field("cars", "{vehicle}", "1", "[0, 10000]")
        + &field("trucks", "{vehicle}", "1", "[0, 10000]")
        + &field("bikes", "{vehicle}", "1", "[0, 10000]")
        + &field("speed", "km/h", "0.1", "[0, 300]")
        + &field("occupancy", "%", "0.01", "[0, 100]")
        + "[[source]]\nline = \"traffic\"\nsensor = \"{sensor}\"\nattributes = { street = \"street\" }\nmap = { cars = \"cars\", trucks = \"trucks\", bikes = \"bikes\", speed = \"speed\", occupancy = \"occupancy\" }\n";
    let texts = [air, traffic].map(|toml| contract::Text { file: "t.toml".into(), toml, registry: None });
    Catalog::new(contract::parse(&texts).unwrap_or_else(|faults| panic!("{faults}")))
}

/// Lines of 2,000 sensors, one a minute, in order.
fn lines(count: usize) -> Vec<String> {
    let mut chance = plain::Chance(3);
    let line = |i: usize| {
        let (sensor, minute) = (i % 2000, i / 2000);
        let nanos = NOW.0 * 1000 - 86_400_000_000_000 + minute as i64 * 60_000_000_000;
        let mut line = String::new();
        let mut tenth = |from: usize, span: usize| {
            let value = from * 10 + chance.below(span * 10);
            format!("{}.{}", value / 10, value % 10)
        };
        let _ = match sensor < 1000 {
            true => write!(
                line,
                "air,sensor=air-{sensor:04},street=Main\\ St co2={}i,temperature={},humidity={},pm10={} {nanos}",
                400 + i % 900,
                tenth(5, 20),
                tenth(30, 50),
                tenth(2, 60)
            ),
            false => write!(
                line,
                "traffic,sensor=loop-{sensor:04},street=Main\\ St cars={}i,trucks={}i,bikes={}i,speed={},occupancy={} {nanos}",
                i % 90,
                i % 7,
                i % 23,
                tenth(20, 60),
                tenth(1, 40)
            ),
        };
        line
    };
    (0..count).map(line).collect()
}

fn on_cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stderr, reason = "measurements are told to a person")]
fn lines_are_read() {
    let mut shuffled = lines(200_000);
    let ordered = shuffled.clone();
    let mut chance = plain::Chance(5);
    for i in (1..shuffled.len()).rev() {
        shuffled.swap(i, chance.below(i + 1));
    }
    for (what, lines, size) in
        [("in order", &ordered, 10_000), ("shuffled", &shuffled, 10_000), ("in order", &ordered, 100)]
    {
        let bodies: Vec<Bytes> = lines.chunks(size).map(|lines| (lines.join("\n") + "\n").into()).collect();
        let bytes: usize = bodies.iter().map(Bytes::len).sum();
        let mut reader = Reader::new(
            Arc::new(Measures::new(&town())),
            &News::default(),
            Bounds { series_bytes: 32 << 20, ..BOUNDS },
        );
        let mut took = Vec::new();
        for _ in 0..9 {
            let begun = on_cpu();
            let mut rows = 0;
            for text in &bodies {
                let body = Body { topic: "/write".into(), text: text.clone(), precision: Precision::Nano, now: NOW };
                let parcel = reader.read(body);
                assert!(parcel.refused.is_empty(), "{:?}", parcel.refused[0]);
                rows += parcel.readings.iter().map(|readings| readings.at.len()).sum::<usize>();
            }
            assert_eq!(rows, lines.len());
            took.push((on_cpu() - begun) as f64 / rows as f64);
        }
        took.sort_by(f64::total_cmp);
        let width = bytes as f64 / lines.len() as f64;
        eprintln!("{size} lines of {width:.0} bytes {what}: {:.1} ns a line (best {:.1})", took[4], took[0]);
    }
}

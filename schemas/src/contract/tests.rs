//! Contracts: the shipped ones, the defaults, and a file full of faults.

use super::*;
use crate::source::{Decoder, Fold, Mapping, Stamp, TimeFormat, TimeSpec};
use crate::time::{DAY, HOUR};
use crate::{Access, Cadence, Keep, Kind, UnknownSensors};

const EMPTY: &str = r#"{"type": "FeatureCollection", "features": []}"#;

fn text(file: &str, toml: &str) -> Text {
    let registry = registry_file(toml).map(|name| (PathBuf::from(name), Ok(EMPTY.to_string())));
    Text { file: file.into(), toml: toml.into(), registry }
}

/// The faults of one file as `line: wrong; remedy`.
fn faults(toml: &str) -> Vec<String> {
    let Err(Faults(faults)) = parse(&[text("x.toml", toml)]) else { return Vec::new() };
    faults.iter().map(|fault| format!("{}: {}; {}", fault.line, fault.wrong, fault.remedy)).collect()
}

const SMALL: &str = r#"
id = "rooms"
title = "Rooms"
license = "CC0-1.0"
publisher = "Town"
zone = "Europe/Prague"
every = "1m"

[[field]]
name = "co2"
unit = "ppm"
kind = "gauge"
range = [300, 10000]

[[source]]
sensor = "{/id}"
time = "arrival"
map = { co2 = "/co2" }
"#;

fn small() -> Arc<Dataset> {
    parse(&[text("rooms.toml", SMALL)]).expect("contract").remove(0)
}

/// Checks that SMALL with one text replaced has exactly the faults that contain these texts.
fn check(from: &str, to: &str, expect: &[&str]) {
    assert!(SMALL.contains(from), "{from}");
    let found = faults(&SMALL.replacen(from, to, 1));
    let right = found.len() == expect.len() && expect.iter().all(|part| found.iter().any(|fault| fault.contains(part)));
    assert!(right, "{to}\n found {found:#?}\n expected {expect:#?}");
}

#[test]
fn shipped_contracts_are_right() {
    let shipped = [
        ("traffic", include_str!("../../datasets/traffic.toml"), include_str!("../../datasets/traffic.geojson")),
        (
            "air_quality",
            include_str!("../../datasets/air_quality.toml"),
            include_str!("../../datasets/air_quality.geojson"),
        ),
        ("parking", include_str!("../../datasets/parking.toml"), include_str!("../../datasets/parking.geojson")),
        ("weather", include_str!("../../datasets/weather.toml"), include_str!("../../datasets/weather.geojson")),
        ("noise", include_str!("../../datasets/noise.toml"), include_str!("../../datasets/noise.geojson")),
    ];
    let texts = shipped.map(|(id, toml, geojson)| {
        assert_eq!(registry_file(toml), Some(format!("{id}.geojson")));
        let registry = Some((PathBuf::from(format!("{id}.geojson")), Ok(geojson.to_string())));
        Text { file: format!("{id}.toml").into(), toml: toml.into(), registry }
    });
    let datasets = parse(&texts).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(datasets.iter().map(|d| &*d.id).collect::<Vec<_>>(), shipped.map(|(id, ..)| id));
    for dataset in &datasets {
        for texts in dataset.fields.iter().map(|field| &field.title).chain([&dataset.title, &dataset.description]) {
            assert_eq!(texts.keys().collect::<Vec<_>>(), ["cs", "de", "en"], "{}", dataset.id);
        }
    }
    let kind = |dataset: usize, field: &str| datasets[dataset].field(field).expect("field").1.kind.name();
    assert_eq!([kind(0, "vehicles"), kind(2, "status"), kind(3, "wind_direction")], ["count", "state", "angle"]);
    assert_eq!([kind(3, "rain"), kind(4, "laeq"), kind(1, "co2")], ["cumulative", "level", "gauge"]);
}

#[test]
fn what_is_not_said_has_a_default() {
    let dataset = small();
    assert_eq!(dataset.title["en"], "Rooms");
    assert_eq!((dataset.access, dataset.unknown_sensors), (Access::Public, UnknownSensors::Accept));
    assert_eq!((dataset.every, dataset.max_sensors), (Cadence::Every(60_000_000), 100_000));
    assert_eq!(
        (dataset.keep.raw, dataset.keep.quarter, dataset.keep.day),
        (Keep::For(90 * DAY), Keep::For(730 * DAY), Keep::Forever)
    );
    let field = &dataset.fields[0];
    assert_eq!((field.range, field.resolution.scale(), field.title["en"].as_str()), ((300, 10_000), 0, "co2"));
    let source = &dataset.sources[0];
    assert_eq!(
        (&*source.name, source.stamp, source.missing.as_slice()),
        ("rooms/0", Stamp::Start, [String::new()].as_slice())
    );
    assert!(source.mqtt.is_none() && source.place.is_none() && source.attributes.is_empty() && source.every.is_none());
    assert!(matches!(source.time, TimeSpec::Arrival));
    assert!(matches!(&source.map, Mapping::Wide(all) if all[0].unit.code == "ppm"));
}

#[test]
fn quantiles_are_kept_where_they_are_asked_for() {
    assert!(!small().fields[0].quantiles);
    let toml = SMALL.replacen("range =", "quantiles = true\nrange =", 1);
    assert!(parse(&[text("rooms.toml", &toml)]).expect("contract")[0].fields[0].quantiles);
    check("kind = \"gauge\"", "kind = \"gauge\"\nquantiles = \"yes\"", &["true or false without quotes"]);
    check("kind = \"gauge\"", "kind = \"cumulative\"\nquantiles = true", &["quantiles are of kinds"]);
}

#[test]
fn lines_paths_and_names_are_mapped_by_what_they_call_things() {
    let source = |lines: &str| {
        let start = SMALL.find("[[source]]").expect("a source");
        let toml = format!("{}[[source]]\n{lines}", &SMALL[..start]);
        parse(&[text("rooms.toml", &toml)]).map(|mut datasets| {
            let dataset = Arc::get_mut(&mut datasets[0]).expect("ours alone");
            dataset.sources.remove(0)
        })
    };
    let line = source(
        "line = \"room\"\nsensor = \"{floor}-{host.name}\"\nmap = { co2 = \"co2_ppm\" }\nplace = { lon = \"lon\", lat = \"lat\" }\nattributes = { street = \"street\" }",
    );
    let line = line.unwrap_or_else(|faults| panic!("{faults}"));
    assert!(matches!(line.time, TimeSpec::Record) && !line.http);
    assert!(matches!(&line.decoder, Decoder::Line(name) if &**name == "room"));
    assert!(matches!(&line.map, Mapping::Wide(all) if all[0].path.parts == ["co2_ppm"]));
    assert_eq!(line.attributes["street"].parts, ["street"]);
    for (lines, says) in [
        ("line = \"room\"\nsensor = \"{/id}\"\nmap = { co2 = \"co2\" }", "JSON pointer"),
        ("line = \"room\"\nsensor = \"{id}\"\nmap = { co2 = \"/co2\" }", "no pointers"),
        ("line = \"room\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }\ntime = \"arrival\"", "its own time"),
        ("line = \"room\"\nmqtt = \"a/+\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }", "remove mqtt"),
        ("line = \"room\"\nsenml = \"{id}\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }", "one format"),
        ("line = \"room\"\nhttp = \"readings\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }", "/write"),
        ("graphite = \"a.{id}.{name}\"\nsensor = \"{it}\"\nmap = { co2 = \"co2\" }", "does not have"),
        ("graphite = \"a.{id}.co2\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }", "several values"),
        ("senml = \"{id}{name}\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }", "between"),
        ("http = \"writings\"\nsensor = \"{/id}\"\ntime = \"arrival\"\nmap = { co2 = \"/co2\" }", "readings"),
    ] {
        let faults = source(lines).expect_err(lines).to_string();
        assert!(faults.contains(says), "{lines}: {faults}");
    }
    for lines in [
        "graphite = \"a.{id}.co2\"\nsensor = \"{id}\"\nmap = { co2 = \"value\" }",
        "graphite = \"a.{id}.{name}\"\nsensor = \"{id}\"\nmap = { co2 = \"co2\" }\nattributes = { room = \"id\" }",
        "senml = \"urn:dev:{id}:{name}\"\nmqtt = \"up/+\"\nsensor = \"{topic.1}-{id}\"\nmap = { co2 = \"co2\" }",
    ] {
        source(lines).unwrap_or_else(|faults| panic!("{lines}: {faults}"));
    }
    assert!(
        source("http = \"readings\"\nsensor = \"{/id}\"\ntime = \"arrival\"\nmap = { co2 = \"/co2\" }")
            .is_ok_and(|source| source.http)
    );
}

#[test]
fn everything_that_can_be_said() {
    let toml = r#"
id = "all"
title = { en = "All", cs = "Vše" }
license = "ODbL-1.0"
publisher = "Town"
access = "restricted"
zone = "America/New_York"
every = "event"
sensors = "all.geojson"
unknown_sensors = "refuse"
max_sensors = 5_000
keep = { raw = "3y" }

[[field]]
name = "humidity"
title = { en = "Humidity" }
unit = "%"
kind = "gauge"
resolution = 0.01
range = [-0.5, 100]

[[field]]
name = "door"
kind = "state"
values = ["closed", "open"]
hold = "2h"

[[source]]
mqtt = "rooms/+/#"
sensor = "{topic.1}/{/source}"
time = { path = "/t", format = "%Y-%m-%d %H:%M:%S%.f", zone = "Europe/London", fold = "later" }
stamp = "end"
every = "10m"
missing = ["na", "-"]
place = { lon = "/x", lat = "/y" }
attributes = { floor = "/floor" }

[source.map]
by = "/property"
value = "/value"
ignore = ["battery"]
humidity = { name = "rel_humidity__0", unit = "1" }
door = { name = "door_open__bool", words = { true = "open", false = "closed", "1.0" = "open" } }
"#;
    let all = parse(&[text("all.toml", toml)]).unwrap_or_else(|faults| panic!("{faults}")).remove(0);
    assert_eq!(
        (all.access, all.every, all.unknown_sensors),
        (Access::Restricted, Cadence::Event, UnknownSensors::Refuse)
    );
    assert_eq!(
        (all.max_sensors, all.keep.raw, all.keep.quarter),
        (5000, Keep::For(3 * 365 * DAY), Keep::For(3 * 365 * DAY))
    );
    assert_eq!((all.title["cs"].as_str(), all.fields[0].range), ("Vše", (-50, 10_000)));
    let door = &all.fields[1];
    assert_eq!((door.range, door.state(1).map(|word| &**word), door.unit.code.as_str()), ((0, 1), Some("open"), "1"));
    assert!(matches!(door.kind, Kind::State { hold, .. } if hold == 2 * HOUR));
    let source = &all.sources[0];
    assert_eq!((source.stamp, source.every), (Stamp::End, Some(Cadence::Every(10 * 60_000_000))));
    let TimeSpec::Payload { format: TimeFormat::Pattern { zone, fold, .. }, .. } = &source.time else {
        panic!("pattern")
    };
    assert_eq!((zone.as_ref().map(|zone| zone.name()), *fold), (Some("Europe/London"), Fold::Later));
    let Mapping::Long { names, ignore, .. } = &source.map else { panic!("long") };
    assert_eq!((names[0].field, names[0].unit.code.as_str(), ignore.len()), (0, "1", 1));
    let words: Vec<_> = names[1].words.iter().map(|(word, index)| (word.as_str(), *index)).collect();
    assert_eq!(words, [("1.0", 1), ("closed", 0), ("false", 0), ("open", 1), ("true", 1)]);
}

/// A contract with nearly every fault there is.
const FAULTY: &str = r#"id = "Rooms"
titel = "Rooms"
license = "CC BY"
publisher = 7
access = "secret"
zone = "+02:00"
every = "1w"
max_sensors = 0
keep = { raw = "2y", 15m = "1y", 2h = "1y" }
unknown_sensors = "refuse"

[[field]]
name = "co2"
unit = "PPM"
kind = "gauge"
resolution = 0.5
range = [300, 10000]
hold = "2h"

[[field]]
name = "co2_mean"
unit = "Cel"
kind = "gage"
range = [10]

[[field]]
name = "state"
kind = "state"
resolution = 1
values = ["on"]

[[source]]
mqtt = "city/#/air"
sensor = "{id}"
decoder = "xml"
time = { path = "ts", format = "rfc3399" }
missing = "na"
map = { co3 = "/x", co2 = "co2" }
place = { lon = "/lon" }

[[source]]
mqtt = "city/+/air"
sensor = "{topic.3}"
time = { path = "/ts", format = "%Y-%m-%d %H:%M" }
map = { state = { path = "/s", words = { an = "on", ab = "off" }, colour = "red" } }
"#;

/// What has to be said of it.
const FAULTS: [&str; 32] = [
    "0: `title` is missing; add title",
    "1: `id` is \"Rooms\"; write small letters",
    "2: `titel` is not a key; write `title`",
    "3: `license` is \"CC BY\"; write an SPDX id",
    "4: `publisher` is a number; write a text",
    "5: `access` is \"secret\"; write one of public, restricted",
    "6: `zone` is \"+02:00\"; write an IANA name",
    "7: `every` is \"1w\"; write a number with s, m, h, d or y",
    "8: `max_sensors` is out of range; write a whole number from 1",
    "9: `keep.15m` is shorter than `keep.raw`; keep 15m",
    "9: `keep.2h` is not a key; write `1h`",
    "10: `unknown_sensors` is \"refuse\", and no registry file lists any sensor; add sensors",
    "14: `unit` of field \"co2\" is \"PPM\"; write \"ppm\"",
    "16: `resolution` of field \"co2\" is not a power of ten",
    "18: `hold` of field \"co2\" does not belong here; only a state",
    "21: `name` of field \"co2_mean\" would be mistaken for mean of \"co2\"",
    "23: `kind` of field \"co2_mean\" is \"gage\"; write one of gauge",
    "24: `range` of field \"co2_mean\" has 1 numbers; write two",
    "29: `resolution` of field \"state\" does not belong here",
    "30: `values` of field \"state\" is no list of words",
    "33: `mqtt` of source 0 is \"city/#/air\"; \"#\" stands for all further levels",
    "34: `sensor` of source 0 is \"{id}\"; \"{id}\" is not a hole: write",
    "35: `decoder` of source 0 is \"xml\"; write one of json",
    "36: `time.format` of source 0 is \"rfc3399\"; write \"rfc3339\"",
    "36: `time.path` of source 0 is \"ts\"; write a JSON pointer: it begins with \"/\", as in \"/ts\"",
    "37: `missing` of source 0 is a text; write a list",
    "38: `map.co2` of source 0 is \"co2\"; write a JSON pointer",
    "38: `map.co3` of source 0 names no field; write \"co2\"",
    "39: `place.lat` of source 0 is missing; write place",
    "43: `sensor` of source 1 asks for topic level 3; \"city/+/air\" has levels 0 to 2",
    "44: `time.format` of source 1 has no offset, and `time.zone` is missing; add zone",
    "45: `map.state.colour` of source 1 is not a key; remove it; the keys are path, unit, words",
];

#[test]
fn a_file_full_of_faults_tells_each_with_its_line() {
    let found = faults(FAULTY);
    for (found, expect) in found.iter().zip(FAULTS) {
        assert!(found.starts_with(expect), "\n found    {found}\n expected {expect}");
    }
    assert_eq!(found.len(), FAULTS.len(), "{found:#?}");
}

#[test]
fn single_faults() {
    check("\"rooms\"", "\"sensors\"", &["`id` is \"sensors\""]);
    check("\"rooms\"", "\"rooms_15m\"", &["tier's table"]);
    check("name = \"co2\"", "name = \"time\"", &["column of every answer", "`map.co2` of source 0 names no field"]);
    check("\"gauge\"", "\"level\"", &["a level is in decibels", "write decibels from -120"]);
    check("\"gauge\"", "\"angle\"", &["an angle is in degrees", "write degrees from -360"]);
    check("range = [300, 10000]", "range = [10000, 300]", &["`range` of field \"co2\" is empty"]);
    check("range = [300, 10000]", "range = [0.5, 3]", &["not in whole steps of 1"]);
    check("range = [300, 10000]", "range = [0, 1_000_000_000_000_000_000]", &["beyond 18 digits"]);
    check("range = [300, 10000]", "range = [0, inf]", &["`range` of field \"co2\" is inf"]);
    check("range = [300, 10000]", "", &["`range` of field \"co2\" is missing"]);
    check("\"gauge\"\nrange = [300, 10000]", "\"count\"\nrange = [-1, 10]", &["a count is 0 or more"]);
    check(
        "\"/co2\"",
        "{ path = \"/co2\", unit = \"Cel\" }",
        &["it is temperature, and the field's \"ppm\" is fraction"],
    );
    check("\"/co2\"", "{ path = \"/co2\", unit = \"%\" }", &[]);
    check("\"/co2\"", "{ path = \"/co2\", words = { a = \"b\" } }", &["`map.co2.words` of source 0 does not belong"]);
    check("{ co2 = \"/co2\" }", "{}", &["`map` of source 0 names no field"]);
    check("{ co2 = \"/co2\" }", "{ by = \"/p\", co2 = \"co2\" }", &["`map.value` of source 0 is missing"]);
    check("{ co2 = \"/co2\" }", "\"/co2\"", &["`map` of source 0 is a text; write a table"]);
    check("sensor =", "mqtt = \"$share/x/rooms\"\nsensor =", &["a contract names topics only"]);
    check("{/id}", "{topic.1}", &["the source has no topic"]);
    check("\"arrival\"", "\"now\"", &["write \"arrival\""]);
    check(
        "\"arrival\"",
        "{ path = \"/t\", format = \"rfc3339\", zone = \"UTC\" }",
        &["`time.zone` of source 0 does not belong"],
    );
    check("\"arrival\"", "{ path = \"/t\", format = \"%H:%M\", zone = \"UTC\" }", &["year, month and day"]);
    check("\"arrival\"", "{ path = \"/t\", format = \"%s\", zone = \"UTC\" }", &["remove zone"]);
    check(
        "\"arrival\"",
        "\"arrival\"\nattributes = { co2 = \"/x\", Floor = \"/f\" }",
        &["is a field's name", "no name for an attribute"],
    );
    check("every = \"1m\"", "every = \"event\"\nsources = 1", &["`sources` is not a key; write `source`"]);
    check("every = \"1m\"", "every = \"24h\"", &[]);
    check("every = \"1m\"", "every = 60", &["`every` is a number"]);
    check("\"Europe/Prague\"", "\"Prague\"", &["write \"Europe/Prague\""]);
    check("title = \"Rooms\"", "title = { english = \"Rooms\" }", &["is not a language tag"]);
    check("[[source]]", "[source]", &["`source` is a table; write a list"]);
    check("id = \"rooms\"", "id = rooms", &["2: not TOML"]);
}

#[test]
fn ids_are_unique_over_files_and_all_files_are_read() {
    let Err(Faults(faults)) = parse(&[text("b.toml", SMALL), text("a.toml", SMALL), text("c.toml", "id = 1 2")]) else {
        panic!("two of one id")
    };
    let told: Vec<_> = faults.iter().map(|fault| (fault.file.to_string_lossy().into_owned(), fault.line)).collect();
    assert_eq!(told[0], ("a.toml".to_string(), 2));
    assert!(faults[0].wrong.contains("b.toml") && told[1..].iter().all(|(file, _)| file == "c.toml") && told.len() > 1);
}

#[test]
fn registry_files_are_read_and_judged_too() {
    let toml = SMALL.replacen("every", "sensors = \"rooms.geojson\"\nevery", 1);
    let with = |content: Result<&str, &str>| {
        let content = content.map(str::to_string).map_err(str::to_string);
        parse(&[Text {
            file: "rooms.toml".into(),
            toml: toml.clone(),
            registry: Some(("rooms.geojson".into(), content)),
        }])
    };
    let good = with(Ok(
        r#"{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "a", "geometry": null, "properties": {}}]}"#,
    ));
    assert_eq!(good.expect("contract")[0].sensors.len(), 1);
    for (content, line) in
        [(Err("no such file"), 0), (Ok("{}"), 1), (Ok("{\n\"type\": \"FeatureCollection\",\n\"features\": [\n{}]}"), 4)]
    {
        let Faults(faults) = with(content).expect_err("fault");
        assert!(
            faults.iter().all(|fault| fault.file == Path::new("rooms.geojson") && fault.line == line),
            "{faults:?}"
        );
    }
}

#[test]
fn the_version_follows_contract_and_registry() {
    let version = |toml: &str, geojson: Option<&str>| {
        let registry = geojson.map(|text| (PathBuf::from("r"), Ok(text.to_string())));
        parse(&[Text { file: "x".into(), toml: toml.into(), registry }]).expect("contract")[0].version
    };
    assert_eq!(version(SMALL, None), version(SMALL, None));
    assert_ne!(version(SMALL, None), version(&SMALL.replace("Rooms", "Zimmer"), None));
    assert_ne!(version(SMALL, None), version(SMALL, Some(EMPTY)));
}

fn check_change(from: &str, to: &str, expect: &[&str]) {
    let toml = format!("{SMALL}[[field]]\nname = \"door\"\nkind = \"state\"\nvalues = [\"closed\", \"open\"]\n");
    let read = |toml: &str| parse(&[text("x.toml", toml)]).unwrap_or_else(|faults| panic!("{faults}")).remove(0);
    let stored = shape(&read(&toml));
    assert!(toml.contains(from), "{from}");
    let found = check_shape(&stored, &read(&toml.replacen(from, to, 1))).err().unwrap_or_default();
    let right = found.len() == expect.len() && found.iter().zip(expect).all(|(found, expect)| found.contains(expect));
    assert!(right, "{to}\n found {found:#?}\n expected {expect:#?}");
}

#[test]
fn a_change_that_reinterprets_stored_data_is_refused() {
    check_change("Rooms", "Zimmer", &[]);
    check_change("[300, 10000]", "[0, 20000]", &[]);
    check_change("\"open\"]", "\"open\", \"ajar\"]", &[]);
    check_change(
        "[[source]]",
        "[[field]]\nname = \"t\"\nunit = \"Cel\"\nkind = \"gauge\"\nrange = [0, 1]\n[[source]]",
        &[],
    );
    check_change("\"ppm\"", "\"[ppm]\"", &[]);
    check_change("\"ppm\"", "\"ppb\"", &["unit of field \"co2\" was \"ppm\" and is \"ppb\""]);
    check_change("\"gauge\"", "\"count\"", &["kind of field \"co2\""]);
    check_change("\"gauge\"", "\"gauge\"\nresolution = 0.1", &["resolution of field \"co2\" was \"1\" and is \"0.1\""]);
    check_change("Europe/Prague", "Europe/Berlin", &["zone was \"Europe/Prague\""]);
    check_change("[\"closed\", \"open\"]", "[\"open\", \"closed\"]", &["the beginning of values of field \"door\""]);
    let hold = "hold of field \"door\" was \"24h\" and is \"2h\"";
    check_change("kind = \"state\"", "kind = \"state\"\nhold = \"2h\"", &[hold]);
    check_change("kind = \"state\"", "kind = \"state\"\nhold = \"1440m\"", &[]);
    check_change("name = \"door\"", "name = \"gate\"", &["field \"door\" is gone"]);
    assert!(check_shape("{", &small()).is_err());
}

#[test]
fn recorded_data_has_contracts_that_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contracts");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(&folder).expect("tests/contracts") {
        let file = entry.expect("entry").path();
        if file.extension().is_some_and(|end| end == "toml") {
            let toml = std::fs::read_to_string(&file).expect("contract");
            texts.push(Text { file, toml, registry: None });
        }
    }
    assert!(texts.len() >= 5);
    parse(&texts).unwrap_or_else(|faults| panic!("{faults}"));
}

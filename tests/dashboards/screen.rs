//! What Grafana fills into a text: variables as they are chosen, and the time shown.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;

/// A dashboard on someone's screen.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    from: Timestamp,
    to: Timestamp,
    /// Values by variable; several only where the variable takes several.
    chosen: BTreeMap<String, Vec<String>>,
    /// What stands for "All" by variable.
    all: BTreeMap<String, String>,
}

impl Screen {
    /// A dashboard as it opens, showing so many hours.
    pub(super) fn new(dashboard: &Value, hours: i64) -> Screen {
        let to = Timestamp::now();
        let (mut chosen, mut all) = (BTreeMap::new(), BTreeMap::new());
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            let name = variable["name"].as_str().unwrap().to_owned();
            let current = &variable["current"]["value"];
            let values = match current.as_array() {
                Some(several) => several.clone(),
                None => vec![current.clone()],
            };
            chosen.insert(name.clone(), values.iter().map(|value| value.as_str().unwrap().to_owned()).collect());
            all.extend(variable["allValue"].as_str().map(|value| (name, value.to_owned())));
        }
        Screen { from: to - SignedDuration::from_hours(hours), to, chosen, all }
    }

    /// The same with other choices.
    pub(super) fn choose(mut self, chosen: &[(String, Vec<String>)]) -> Screen {
        self.chosen.extend(chosen.iter().cloned());
        self
    }

    /// A text with all its variables filled in; one that is not known fails, as it would fail in Grafana.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (inside, behind) = after.split_once('}').unwrap();
            let (name, format) = inside.split_once(':').unwrap_or((inside, "glob"));
            filled.push_str(before);
            filled
                .push_str(&self.value(name, format).unwrap_or_else(|| panic!("{name}:{format} is not known: {text}")));
            rest = behind;
        }
        filled + rest
    }

    fn value(&self, name: &str, format: &str) -> Option<String> {
        // Grafana knows the time as __from and __to, Infinity's server as __timeFrom and __timeTo, in the same formats.
        let time = match name {
            "__from" | "__timeFrom" => Some(self.from),
            "__to" | "__timeTo" => Some(self.to),
            _ => None,
        };
        if let Some(time) = time {
            return match format {
                "glob" => Some(time.as_millisecond().to_string()),
                "date:iso" | "date" => Some(format!("{:.3}", time)),
                "date:seconds" => Some(time.as_second().to_string()),
                _ => None,
            };
        }
        let values = self.chosen.get(name)?;
        if values == &["$__all"] {
            // A value that stands for all is written as it is, whatever the format.
            return self.all.get(name).cloned();
        }
        match (format, values.as_slice()) {
            ("csv" | "glob" | "text" | "raw", [value]) => Some(value.clone()),
            ("csv", values) => Some(values.join(",")),
            ("pipe", values) => Some(values.join("|")),
            ("glob", values) => Some(format!("{{{}}}", values.join(","))),
            _ => None,
        }
    }
}

//! The query string, read strictly: what is unknown, repeated or malformed is refused, and all of it is told at once.

use crate::error;
use crate::parameter::{ATTRIBUTE_PREFIX, Parameter};
use access::{Fault, Problem};
use axum::extract::Query;
use axum::http::Uri;
use schemas::{Time, Zone};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Microseconds a span has when only its end is known.
const DEFAULT_SPAN: i64 = schemas::time::DAY;

/// What a form or a dashboard writes where nothing in particular is chosen: all sensors, whatever the attribute.
const ALL: &str = "*";

/// Faults told at once: a long address must not make an answer a hundred times its length.
const FAULTS: usize = 16;

/// The parameters of one request. Values are taken one by one; [`Params::finish`] tells every fault met on the way.
#[derive(Debug)]
pub(crate) struct Params {
    values: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Params {
    /// Reads the query of an address against the parameters its endpoint accepts.
    pub(crate) fn of(uri: &Uri, known: &[Parameter]) -> Params {
        // Any query splits into pairs of strings: what is not percent-encoding is taken as it stands.
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        let mut params = Params { values: BTreeMap::new(), faults: Vec::new() };
        for (name, value) in pairs {
            if params.faults.len() == FAULTS {
                break;
            }
            if !known.iter().any(|parameter| covers(parameter, &name)) {
                let accepted = known.iter().map(|parameter| parameter.name.to_owned()).collect();
                let detail = format!("there is no parameter {name:?} here");
                params.faults.push(Fault { parameter: name, detail, accepted });
                continue;
            }
            match params.values.entry(name) {
                Entry::Vacant(place) => _ = place.insert(value),
                Entry::Occupied(place) => {
                    let detail = format!("{} is given more than once", place.key());
                    let accepted = vec!["one value".to_owned()];
                    params.faults.push(Fault { parameter: place.key().clone(), detail, accepted });
                }
            }
        }
        params
    }

    /// A value as it came.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    /// A value as `parse` reads it; nothing when it is absent or wrong.
    pub(crate) fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, engine::Error>) -> Option<T> {
        let text = self.text(name)?;
        self.keep(parse(&text))
    }

    /// A value already read; its error is noted.
    pub(crate) fn keep<T>(&mut self, read: Result<T, engine::Error>) -> Option<T> {
        read.map_err(|refused| self.faults.push(error::fault(refused))).ok()
    }

    /// Names by commas; empty when the parameter is absent.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<String> {
        let listed = self.read(name, |text| {
            let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
            if names.iter().any(String::is_empty) {
                let accepted = vec!["names by commas".to_owned()];
                return Err(engine::Error::invalid(name, format!("{name} {text:?} has an empty name"), accepted));
            }
            Ok(names)
        });
        listed.unwrap_or_default()
    }

    /// The sensors asked for; empty for all.
    pub(crate) fn sensors(&mut self) -> Vec<String> {
        let sensors = self.list("sensor");
        if sensors == [ALL] { Vec::new() } else { sensors }
    }

    /// A whole number from 1.
    pub(crate) fn count(&mut self, name: &'static str) -> Option<usize> {
        self.read(name, |text| match text.parse() {
            Ok(count) if count > 0 => Ok(count),
            _ => {
                let accepted = vec!["a whole number from 1".to_owned()];
                Err(engine::Error::invalid(name, format!("{name} {text:?} is not a whole number from 1"), accepted))
            }
        })
    }

    /// All `attribute.<name>` there are, as (name, value), but those for which any value will do.
    pub(crate) fn attributes(&mut self) -> Vec<(String, String)> {
        let (attributes, rest) =
            std::mem::take(&mut self.values).into_iter().partition(|(name, _)| name.starts_with(ATTRIBUTE_PREFIX));
        self.values = rest;
        let attributes: BTreeMap<String, String> = attributes;
        let wanted = attributes.into_iter().filter(|(_, value)| value != ALL);
        wanted.map(|(name, value)| (name[ATTRIBUTE_PREFIX.len()..].to_owned(), value)).collect()
    }

    /// `from` and `to`: until now, and 24 hours long, unless said otherwise.
    pub(crate) fn span(&mut self, now: Time, zone: &Zone) -> (Time, Time) {
        let to = self.read("to", |text| engine::parse_time("to", text, now, zone)).unwrap_or(now);
        let from = self.read("from", |text| engine::parse_time("from", text, now, zone));
        (from.unwrap_or_else(|| to.plus(-DEFAULT_SPAN)), to)
    }

    /// The faults met, if any.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::faults(self.faults)) }
    }
}

/// Whether a parameter's name, or the beginning it stands for, is this one.
fn covers(parameter: &Parameter, name: &str) -> bool {
    match parameter.name.split_once('<') {
        None => parameter.name == name,
        Some((prefix, _)) => name.len() > prefix.len() && name.starts_with(prefix),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameter::{ATTRIBUTE, FIELDS, LIMIT, SENSOR};

    fn read(query: &str) -> Params {
        Params::of(&format!("/x?{query}").parse().unwrap_or_default(), &[ATTRIBUTE, FIELDS, LIMIT])
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut params = read("speed=1&fields=a&fields=b&limit=0&attribute.=x");
        assert_eq!(params.list("fields"), ["a"]);
        assert_eq!(params.count("limit"), None);
        let Err(problem) = params.finish() else { panic!("accepted") };
        let named: Vec<&str> = problem.errors.iter().map(|fault| fault.parameter.as_str()).collect();
        assert_eq!(named, ["speed", "fields", "attribute.", "limit"]);
        assert_eq!(problem.errors[0].accepted, ["attribute.<name>", "fields", "limit"]);
    }

    #[test]
    fn values_are_decoded() {
        let mut params = read("attribute.street=Hlavn%C3%AD+t%C5%99%C3%ADda&attribute.floor=1&fields=a,%20b");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(params.attributes(), [pair("floor", "1"), pair("street", "Hlavní třída")]);
        assert_eq!(params.list("fields"), ["a", "b"]);
        assert!(params.finish().is_ok());
    }

    #[test]
    fn a_star_chooses_nothing_in_particular() {
        let mut params = Params::of(
            &"/x?sensor=*&attribute.street=*&attribute.floor=1".parse().unwrap_or_default(),
            &[ATTRIBUTE, SENSOR],
        );
        assert!(params.sensors().is_empty());
        assert_eq!(params.attributes(), [("floor".to_owned(), "1".to_owned())]);
        assert!(params.finish().is_ok());
    }

    #[test]
    fn an_empty_list_is_a_mistake() {
        let mut params = read("fields=a,,b");
        assert!(params.list("fields").is_empty());
        assert!(params.finish().is_err());
    }
}

//! A TOML document read key by key: each fault is kept with its line, and a key nobody asked for is a fault too.

use super::value;
use access::Network;
use schemas::Fault;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// The text being read and the faults found so far.
pub(crate) struct Document<'a> {
    file: &'a Path,
    text: &'a str,
    faults: RefCell<Vec<Fault>>,
}

impl<'a> Document<'a> {
    /// A document without faults yet.
    pub(crate) fn new(file: &'a Path, text: &'a str) -> Document<'a> {
        Document { file, text, faults: RefCell::default() }
    }

    /// Keeps a fault at a byte offset.
    pub(crate) fn fault(&self, offset: usize, wrong: impl Into<String>, remedy: impl Into<String>) {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = 1 + before.iter().filter(|&&b| b == b'\n').count();
        let fault = Fault { file: self.file.to_owned(), line, wrong: wrong.into(), remedy: remedy.into() };
        self.faults.borrow_mut().push(fault);
    }

    /// The faults, in line order.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults
    }
}

/// One table of the document and the keys asked of it.
pub(crate) struct Table<'a> {
    document: &'a Document<'a>,
    /// Dotted name with a dot at its end; empty for the root.
    name: String,
    offset: usize,
    entries: &'a DeTable<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    /// The root table.
    pub(crate) fn root(document: &'a Document<'a>, entries: &'a DeTable<'a>) -> Table<'a> {
        Table { document, name: String::new(), offset: 0, entries, asked: RefCell::default() }
    }

    /// A value, if the key is there and `read` takes it; else a fault that says what would be right.
    fn value<T>(&self, key: &'static str, right: &str, read: impl FnOnce(&'a DeValue<'a>) -> Option<T>) -> Option<T> {
        self.asked.borrow_mut().insert(key);
        let spanned = self.entries.get(key)?;
        let found = read(spanned.get_ref());
        if found.is_none() {
            let shown = &self.document.text[spanned.span()];
            let shown = shown.lines().next().unwrap_or_default();
            self.document.fault(spanned.span().start, format!("`{}{key}` cannot be {shown}", self.name), right);
        }
        found
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, key: &'static str) -> Option<String> {
        self.value(key, "write a text in quotes", |v| v.as_str().filter(|s| !s.is_empty()).map(str::to_owned))
    }

    /// A path.
    pub(crate) fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.value(key, "write a path in quotes", |v| v.as_str().filter(|s| !s.is_empty()).map(PathBuf::from))
    }

    /// Bytes.
    pub(crate) fn size(&self, key: &'static str) -> Option<u64> {
        self.value(key, value::SIZE, |v| value::size(v.as_str()?))
    }

    /// A duration.
    pub(crate) fn age(&self, key: &'static str) -> Option<Duration> {
        self.value(key, value::AGE, |v| value::age(v.as_str()?))
    }

    /// A whole number from 1 on.
    pub(crate) fn count(&self, key: &'static str) -> Option<usize> {
        self.value(key, "write a whole number from 1 on", |v| {
            let integer = v.as_integer()?;
            let digits = integer.as_str().replace('_', "");
            usize::from_str_radix(&digits, integer.radix()).ok().filter(|&n| n > 0)
        })
    }

    /// Yes or no.
    pub(crate) fn truth(&self, key: &'static str) -> Option<bool> {
        self.value(key, "write true or false", |value| value.as_bool())
    }

    /// A socket address.
    pub(crate) fn address(&self, key: &'static str) -> Option<SocketAddr> {
        self.value(key, "write address and port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"", |v| {
            v.as_str()?.parse().ok()
        })
    }

    /// A list of address ranges.
    pub(crate) fn networks(&self, key: &'static str) -> Vec<Network> {
        let right = "write a list of address ranges, such as [\"10.0.0.0/8\", \"::1\"]";
        let texts: Option<Vec<&str>> =
            self.value(key, right, |v| v.as_array()?.iter().map(|item| item.get_ref().as_str()).collect());
        let networks = texts.unwrap_or_default().into_iter().map(str::parse);
        let read = |network: Result<Network, String>| match network {
            Ok(network) => Some(network),
            Err(wrong) => {
                self.fault(key, format!("`{}{key}`: {wrong}", self.name), right);
                None
            }
        };
        networks.filter_map(read).collect()
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        self.value(key, &format!("write {}", names.join(" or ")), |v| {
            let text = v.as_str()?;
            words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
        })
    }

    /// A table below, if it is there.
    pub(crate) fn table(&self, key: &'static str) -> Option<Table<'a>> {
        let entries = self.value(key, "write a table or dotted keys below it", DeValue::as_table)?;
        Some(self.below(key, self.entries.get(key)?.span().start, entries))
    }

    /// The tables of an array of tables (`[[key]]`); none if it is not there.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Table<'a>> {
        let right = format!("write one [[{key}]] section for each");
        let array = self.value(key, &right, |v| {
            let array = v.as_array()?;
            array.iter().all(|item| item.get_ref().is_table()).then_some(array)
        });
        let items = array.into_iter().flat_map(|array| array.iter());
        items.filter_map(|item| Some(self.below(key, item.span().start, item.get_ref().as_table()?))).collect()
    }

    fn below(&self, key: &str, offset: usize, entries: &'a DeTable<'a>) -> Table<'a> {
        let name = format!("{}{key}.", self.name);
        Table { document: self.document, name, offset, entries, asked: RefCell::default() }
    }

    /// A fault of a key's value, or of the table when the key is missing.
    pub(crate) fn fault(&self, key: &str, wrong: impl Into<String>, remedy: impl Into<String>) {
        let offset = self.entries.get(key).map_or(self.offset, |spanned| spanned.span().start);
        self.document.fault(offset, wrong, remedy);
    }

    /// All keys have been asked for: any other is a fault.
    pub(crate) fn close(self) {
        let asked = self.asked.into_inner();
        for key in self.entries.keys().filter(|key| !asked.contains(key.get_ref().as_ref())) {
            let known: Vec<String> = asked.iter().map(|known| format!("{}{known}", self.name)).collect();
            self.document.fault(
                key.span().start,
                format!("unknown key `{}{}`", self.name, key.get_ref()),
                format!("take it out, or use one of: {}", known.join(", ")),
            );
        }
    }
}

//! Walking TOML tables: each key is taken once, each fault is noted with its line, and no key goes unread.

use crate::{Decimal, Fault, near};
use std::cell::RefCell;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// One file and the faults found in it.
pub(super) struct Page<'a> {
    file: &'a Path,
    text: &'a str,
    faults: RefCell<Vec<Fault>>,
}

impl<'a> Page<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Page<'a> {
        Page { file, text, faults: RefCell::new(Vec::new()) }
    }

    /// The line of a byte offset, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        self.text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    pub(super) fn fault(&self, line: usize, wrong: impl Into<String>, remedy: impl Into<String>) {
        self.fault_in(self.file, line, wrong, remedy);
    }

    /// A fault in a file this one names.
    pub(super) fn fault_in(&self, file: &Path, line: usize, wrong: impl Into<String>, remedy: impl Into<String>) {
        let fault = Fault { file: file.into(), line, wrong: wrong.into(), remedy: remedy.into() };
        self.faults.borrow_mut().push(fault);
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }
}

/// One table of a file.
pub(super) struct Section<'a> {
    pub(super) page: &'a Page<'a>,
    table: &'a DeTable<'a>,
    /// Line it begins in; 0 for the file itself.
    line: usize,
    /// Keys in front of its own: `map.`.
    path: String,
    /// Whose keys they are, for messages: ` of field "co2"`.
    of: String,
    taken: RefCell<Vec<&'a str>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(page: &'a Page<'a>, table: &'a DeTable<'a>) -> Section<'a> {
        Section { page, table, line: 0, path: String::new(), of: String::new(), taken: RefCell::default() }
    }

    /// The same table under another name.
    pub(super) fn named(self, of: String) -> Section<'a> {
        Section { of, path: String::new(), ..self }
    }

    /// The value of a key, which is then known.
    pub(super) fn take(&self, key: &'static str) -> Option<Item<'a>> {
        self.taken.borrow_mut().push(key);
        self.table.get_key_value(key).map(|(key, value)| self.item(key, value))
    }

    /// The value of a key that has to be there.
    pub(super) fn need(&self, key: &'static str, remedy: &str) -> Option<Item<'a>> {
        let item = self.take(key);
        if item.is_none() {
            self.page.fault(self.line, format!("`{}{key}`{} is missing", self.path, self.of), remedy);
        }
        item
    }

    /// A key that must not be there.
    pub(super) fn refuse(&self, key: &'static str, remedy: &str) {
        if let Some(item) = self.take(key) {
            item.fault("does not belong here", remedy);
        }
    }

    /// All keys not taken yet, in the order of the file; they are known then.
    pub(super) fn rest(&self) -> Vec<Item<'a>> {
        let mut taken = self.taken.borrow_mut();
        let mut rest: Vec<_> = self.table.iter().filter(|(key, _)| !taken.contains(&&**key.get_ref())).collect();
        rest.sort_by_key(|(key, _)| key.span().start);
        taken.extend(rest.iter().map(|(key, _)| &**key.get_ref()));
        rest.into_iter().map(|(key, value)| self.item(key, value)).collect()
    }

    /// Reports every key nobody took.
    pub(super) fn close(&self) {
        let known = self.taken.borrow().clone();
        for item in self.rest() {
            let remedy = match near::nearest(item.name, known.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("remove it; the keys are {}", known.join(", ")),
            };
            item.fault("is not a key", remedy);
        }
    }

    /// Whether it has a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Text and line of a key, without taking it.
    pub(super) fn peek_text(&self, key: &str) -> Option<(&'a str, usize)> {
        let value = self.table.get(key)?;
        Some((value.get_ref().as_str()?, self.page.line(value.span().start)))
    }

    /// A fault of the table as a whole.
    pub(super) fn fault(&self, wrong: &str, remedy: impl Into<String>) {
        self.page.fault(self.line, format!("{wrong}{}", self.of), remedy);
    }

    fn item(
        &self,
        key: &'a toml::Spanned<std::borrow::Cow<'a, str>>,
        value: &'a toml::Spanned<DeValue<'a>>,
    ) -> Item<'a> {
        Item {
            page: self.page,
            name: key.get_ref(),
            line: self.page.line(key.span().start),
            path: format!("{}{}", self.path, key.get_ref()),
            of: self.of.clone(),
            value: value.get_ref(),
        }
    }
}

/// One value of a table.
pub(super) struct Item<'a> {
    page: &'a Page<'a>,
    /// Its key.
    pub(super) name: &'a str,
    line: usize,
    path: String,
    of: String,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    /// Notes what is wrong with it: `"is …"`, `"has …"`.
    pub(super) fn fault(&self, wrong: impl AsRef<str>, remedy: impl Into<String>) {
        self.page.fault(self.line, format!("`{}`{} {}", self.path, self.of, wrong.as_ref()), remedy);
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = match self.value.type_str() {
            "string" => "a text",
            "integer" | "float" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            "table" => "a table",
            other => other,
        };
        self.fault(format!("is {found}"), format!("write {wanted}"));
        None
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// Its text; blank ones are faults.
    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str().or_else(|| self.wrong_type("a text in quotes"))?;
        if text.trim().is_empty() {
            self.fault("is empty", "write a text, or leave the key out if it has a default");
            return None;
        }
        Some(text)
    }

    /// Its text, blank ones included.
    pub(super) fn any_text(&self) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.wrong_type("a text in quotes"))
    }

    /// Its text as something else; the parser's error is the remedy.
    pub(super) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text()?;
        parse(text).map_err(|remedy| self.fault(format!("is \"{text}\""), remedy)).ok()
    }

    /// One of some words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        self.parsed(|text| {
            let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            found.ok_or_else(|| format!("write one of {}", list.join(", ")))
        })
    }

    /// Its yes or no.
    pub(super) fn truth(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong_type("true or false without quotes"))
    }

    /// Its number, exact.
    pub(super) fn decimal(&self) -> Option<Decimal> {
        let text = match self.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            _ => return self.wrong_type("a decimal number without quotes"),
        };
        let number = Decimal::parse(text.replace('_', "").as_bytes());
        if number.is_none() {
            self.fault(format!("is {text}"), "write a decimal number");
        }
        number
    }

    /// Its elements.
    pub(super) fn list(&self) -> Option<Vec<Item<'a>>> {
        let array = self.value.as_array().or_else(|| self.wrong_type("a list in square brackets"))?;
        let element = |value: &'a toml::Spanned<DeValue<'a>>| Item {
            page: self.page,
            name: self.name,
            line: self.page.line(value.span().start),
            path: self.path.clone(),
            of: self.of.clone(),
            value: value.get_ref(),
        };
        Some(array.iter().map(element).collect())
    }

    /// Its texts; blank ones too.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let texts: Vec<Option<&str>> = self.list()?.iter().map(Item::any_text).collect();
        texts.into_iter().map(|text| text.map(str::to_string)).collect()
    }

    /// It as a table.
    pub(super) fn section(&self) -> Option<Section<'a>> {
        let table = self.value.as_table().or_else(|| self.wrong_type("a table in braces"))?;
        let (path, of) = (format!("{}.", self.path), self.of.clone());
        Some(Section { page: self.page, table, line: self.line, path, of, taken: RefCell::default() })
    }
}

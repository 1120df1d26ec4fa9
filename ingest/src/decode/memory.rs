//! Texts that come again and again, such as the tags of a series, and what each stands for.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Bytes an entry weighs besides its text and what it stands for.
const ENTRY: usize = 48;

/// A memory of texts, bounded in bytes. What follows a text is remembered too, as most senders keep their order.
#[derive(Debug)]
pub struct Memory<T> {
    table: HashTable<u32>,
    entries: Vec<Entry<T>>,
    /// All texts, one behind the other.
    texts: Vec<u8>,
    /// Bytes it may have.
    most: usize,
    /// Nobody outside knows which texts collide.
    hashing: RandomState,
}

#[derive(Debug)]
struct Entry<T> {
    start: u32,
    end: u32,
    /// The text that came after this one last time.
    next: u32,
    /// For growing the table.
    hash: u64,
    value: T,
}

impl<T> Memory<T> {
    /// An empty memory of up to `most` bytes.
    pub fn new(most: usize) -> Memory<T> {
        let (most, hashing) = (most.min(u32::MAX as usize), RandomState::default());
        Memory { table: HashTable::new(), entries: Vec::new(), texts: Vec::new(), most, hashing }
    }

    /// Whether it has no room for another text of so many bytes: it has to be cleared first. One of them fits always.
    pub fn is_full(&self, bytes: usize) -> bool {
        let weight = self.texts.len() + bytes + (self.entries.len() + 1) * (ENTRY + size_of::<T>());
        weight > self.most && !self.entries.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        (self.table, self.entries, self.texts) = (HashTable::new(), Vec::new(), Vec::new());
    }

    /// The text that came last time after `last`, and the byte after it, if `line` goes on with it at a byte.
    #[inline]
    pub fn next(&self, last: u32, line: &[u8], at: usize) -> Option<(u32, usize)> {
        let next = self.entries.get(last as usize)?.next;
        let entry = self.entries.get(next as usize)?;
        let text = &self.texts[entry.start as usize..entry.end as usize];
        (line.get(at..at + text.len())? == text).then_some((next, at + text.len()))
    }

    /// A text that is known; `last` is the one before.
    pub fn find(&mut self, last: u32, text: &[u8]) -> Option<u32> {
        let (entries, texts) = (&self.entries, &self.texts);
        let same = |&index: &u32| {
            let entry = &entries[index as usize];
            &texts[entry.start as usize..entry.end as usize] == text
        };
        let found = *self.table.find(self.hashing.hash_one(text), same)?;
        self.follows(last, found);
        Some(found)
    }

    /// Adds a text that is not known.
    pub fn add(&mut self, last: u32, text: &[u8], value: T) -> u32 {
        let (hash, number) = (self.hashing.hash_one(text), self.entries.len() as u32);
        let start = self.texts.len() as u32;
        self.texts.extend_from_slice(text);
        self.entries.push(Entry { start, end: self.texts.len() as u32, next: u32::MAX, hash, value });
        let entries = &self.entries;
        self.table.insert_unique(hash, number, |&index| entries[index as usize].hash);
        self.follows(last, number);
        number
    }

    fn follows(&mut self, last: u32, next: u32) {
        if let Some(entry) = self.entries.get_mut(last as usize) {
            entry.next = next;
        }
    }

    /// What a text stands for.
    #[inline]
    pub fn value(&self, number: u32) -> &T {
        &self.entries[number as usize].value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_tried_first() {
        let mut memory = Memory::new(1 << 20);
        let (a, b) = (memory.add(u32::MAX, b"a ", 'a'), memory.add(0, b"b ", 'b'));
        assert_eq!(memory.next(a, b"xb 1", 1), Some((b, 3)));
        assert_eq!(
            (memory.next(a, b"a 1", 0), memory.next(b, b"b 1", 0), memory.next(9, b"a ", 0)),
            (None, None, None)
        );
        assert_eq!(memory.find(b, b"a "), Some(a));
        assert_eq!(memory.next(b, b"a ", 0), Some((a, 2)), "learnt");
        assert_eq!((memory.find(a, b"a"), *memory.value(b)), (None, 'b'));
    }

    #[test]
    fn it_is_full_before_it_weighs_too_much() {
        let mut memory = Memory::new(100_000);
        let mut count = 0_u32;
        while !memory.is_full(7) {
            memory.add(u32::MAX, format!("s{count:06}").as_bytes(), count);
            count += 1;
        }
        assert!((1000..2000).contains(&count), "{count}");
        assert!((0..count).all(|i| memory.find(0, format!("s{i:06}").as_bytes()) == Some(i)));
        memory.clear();
        assert!(!memory.is_full(1 << 20), "one always fits");
        assert_eq!(memory.find(0, b"s000001"), None);
    }
}

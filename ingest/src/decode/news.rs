//! What was last said of each sensor, known to all readers: so that a place or an attribute is noted when it changes, and once.

use foldhash::quality::FixedState;
use hashbrown::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A mark of what was last said of one sensor.
pub type Heard = Arc<AtomicU64>;

/// What was last said. Cloneable; all clones know the same. It holds what some reader remembers, so their bound is its own.
#[derive(Clone, Debug, Default)]
pub struct News(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Grows whenever something that was said may have been lost.
    edition: AtomicU64,
    sensors: Mutex<Sensors>,
}

#[derive(Debug, Default)]
struct Sensors {
    known: HashMap<(Arc<str>, Arc<str>), Weak<AtomicU64>>,
    /// How many there may be before those nobody remembers go.
    most: usize,
}

/// Sensors that are kept before it is looked which of them nobody remembers.
const FEW: usize = 1024;

impl News {
    /// What was last said of a dataset's sensor.
    pub fn of(&self, dataset: &Arc<str>, sensor: &Arc<str>) -> Heard {
        let mut sensors = self.0.sensors.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (dataset.clone(), sensor.clone());
        if let Some(heard) = sensors.known.get(&key).and_then(Weak::upgrade) {
            return heard;
        }
        if sensors.known.len() >= sensors.most {
            sensors.known.retain(|_, heard| heard.strong_count() > 0);
            sensors.most = FEW.max(2 * sensors.known.len());
        }
        let heard = Heard::default();
        sensors.known.insert(key, Arc::downgrade(&heard));
        heard
    }

    /// Whether a mark is news; it is none from then on. Of two bodies that are read at once either may come first.
    #[inline]
    pub fn tell(&self, heard: &Heard, mark: u64) -> bool {
        // Never zero, with which all begin.
        let mark = (mark ^ self.0.edition.load(Relaxed).rotate_left(32)) | 1;
        let news = heard.load(Relaxed) != mark;
        if news {
            heard.store(mark, Relaxed);
        }
        news
    }

    /// Something that was told did not get through: all is news again. What the store has heard before it takes for none.
    pub fn repeat(&self) {
        self.0.edition.fetch_add(1, Relaxed);
    }
}

/// The mark of some texts, each of which may be missing.
pub fn mark<'a>(texts: impl Iterator<Item = Option<&'a [u8]>>) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for text in texts {
        hasher.write_usize(text.map_or(usize::MAX, <[u8]>::len));
        hasher.write(text.unwrap_or_default());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_reader_says_is_no_news_from_another() {
        let (news, dataset) = (News::default(), Arc::from("air"));
        let [one, other] = ["a", "a"].map(|id| news.of(&dataset, &id.into()));
        assert!(news.tell(&one, 8), "new");
        assert!(!news.tell(&other, 8), "said by the first");
        assert!(news.tell(&other, 10) && news.tell(&one, 8), "moved there and back");
        news.repeat();
        assert!(news.tell(&one, 8), "it may have been lost");
        assert!(news.tell(&news.of(&Arc::from("noise"), &"a".into()), 8), "another dataset's");
    }

    #[test]
    fn sensors_that_nobody_remembers_go() {
        let (news, dataset) = (News::default(), Arc::from("air"));
        let kept: Vec<Heard> = (0..10).map(|i| news.of(&dataset, &format!("kept{i}").into())).collect();
        for i in 0..100_000 {
            news.of(&dataset, &format!("{i}").into());
        }
        assert!(news.0.sensors.lock().unwrap().known.len() <= FEW);
        assert!(!kept.iter().any(|heard| news.tell(heard, 5) && news.tell(heard, 5)));
        assert!(!news.tell(&news.of(&dataset, &"kept3".into()), 5), "it is still the same");
    }

    #[test]
    fn marks_tell_texts_apart() {
        let of = |texts: &[Option<&str>]| mark(texts.iter().map(|text| text.map(str::as_bytes)));
        assert_ne!(of(&[Some("ab"), Some("c")]), of(&[Some("a"), Some("bc")]));
        assert_ne!(of(&[Some("")]), of(&[None]));
        assert_eq!(of(&[Some("a"), None]), of(&[Some("a"), None]));
    }
}

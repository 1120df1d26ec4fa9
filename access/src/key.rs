//! One key: what is kept of it, and the text its holder has.
//!
//! The text is `lp_<id>_<secret>`: 8 letters to find it by, which may be shown, and 160 random bits. Only their SHA-256 is kept:
//! a random secret of that length needs no slow hash (it cannot be guessed), and a slow one would let callers burn the CPU.

use crate::{Right, Scope};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// RFC 4648 base 32 in small letters: no character that is easily misread for another.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Letters of an id.
const ID: usize = 8;
/// Letters of a secret.
const SECRET: usize = 32;

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it is found by; may be shown.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the whole text.
    pub digest: [u8; 32],
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is not taken.
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
    /// Cost units a minute, where they differ from other keys'.
    pub units: Option<u32>,
}

/// The state of a key at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is taken.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// The text of a key as its holder has it. Shown once, and never in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// A new random text.
    pub fn random() -> Result<KeyText, getrandom::Error> {
        let mut bytes = [0_u8; ID + SECRET];
        getrandom::fill(&mut bytes)?;
        // 256 is a multiple of 32: each letter is as likely as another.
        let letters: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        let (id, secret) = letters.split_at(ID);
        Ok(KeyText(format!("lp_{id}_{secret}")))
    }

    /// A text that has the form of a key.
    pub fn parse(text: &str) -> Option<KeyText> {
        let (id, secret) = text.strip_prefix("lp_")?.split_once('_')?;
        let letters = |part: &str, many| part.len() == many && part.bytes().all(|byte| LETTERS.contains(&byte));
        (letters(id, ID) && letters(secret, SECRET)).then(|| KeyText(text.to_owned()))
    }

    /// The id in it.
    pub fn id(&self) -> &str {
        &self.0[3..3 + ID]
    }

    /// The whole text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyText(lp_{}_…)", self.id())
    }
}

impl Key {
    /// Its state at an instant.
    pub fn state(&self, now: Timestamp) -> State {
        match (self.revoked, self.expires) {
            (Some(_), _) => State::Revoked,
            (None, Some(end)) if end <= now => State::Expired,
            _ => State::Active,
        }
    }

    /// Whether a text is this key's, told in a time that says nothing of where they differ.
    pub fn is(&self, text: &KeyText) -> bool {
        self.digest.ct_eq(&text.digest()).into()
    }

    /// Whether it allows something in a dataset; in the whole server when nothing is named.
    pub fn may(&self, right: Right, dataset: Option<&str>) -> bool {
        self.scopes.iter().any(|scope| scope.covers(right, dataset))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Active => "active",
            State::Expired => "expired",
            State::Revoked => "revoked",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_text_is_a_key_of_its_own_and_does_not_show_itself() {
        let (one, other) = (KeyText::random().expect("random"), KeyText::random().expect("random"));
        assert_ne!(one, other);
        assert_eq!(KeyText::parse(one.reveal()), Some(one.clone()));
        assert_ne!(one.digest(), other.digest());
        let shown = format!("{one:?}");
        assert!(shown.contains(one.id()) && !shown.contains(&one.reveal()[12..]), "{shown}");
    }

    #[test]
    fn what_is_not_formed_like_a_key_is_none() {
        let good = KeyText::random().expect("random").reveal().to_owned();
        for wrong in [
            "",
            "lp_",
            "lp_abcdefgh_short",
            &good[1..],
            &good.to_uppercase(),
            &format!("{good}a"),
            &good.replace("lp_", "xx_"),
        ] {
            assert_eq!(KeyText::parse(wrong), None, "{wrong}");
        }
    }
}

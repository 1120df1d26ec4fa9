//! Which of the texts of a contract is shown.

use schemas::Text;

/// A language by its tag: `en`, `cs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language(pub String);

impl Language {
    /// The text in this language, else in English, else in the first there is; `otherwise` where there is none.
    pub(crate) fn of(&self, text: &Text, otherwise: &str) -> String {
        let found = text.get(&self.0).or_else(|| text.get("en")).or_else(|| text.values().next());
        found.map_or_else(|| plain(otherwise), Clone::clone)
    }
}

/// A name as a title: `pm2_5` becomes `Pm2 5`, `street` becomes `Street`.
pub(crate) fn plain(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.map(|letter| if letter == '_' { ' ' } else { letter })).collect()
}

//! Application transactions of a table: how far it has taken over the log and each day's late files, or closed its windows.

use crate::LogId;
use schemas::Day;
use std::fmt;

/// Names an application transaction. Its version is a position in that log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum App {
    /// Every record up to the position is in the table or in late files (rule 12): `lamppost/<log-id>`.
    Raw(LogId),
    /// The day's late files up to the position are folded (rule 9): `late/<log-id>/<day>`.
    Late(LogId, Day),
    /// In a tier's table: windows that begin before the instant are committed (rule 3): `tier/closed`, in microseconds.
    Closed,
    /// In a tier's table: windows that begin before the instant are dropped (rule 19): `tier/floor`, in microseconds.
    Floor,
    /// Retention has dropped the day's raw rows, by the record of that position (rule 17): `gone/<day>`.
    Gone(Day),
}

impl App {
    /// The transaction behind an `appId`; nothing if it is not one of ours.
    pub(crate) fn parse(text: &str) -> Option<App> {
        let log = |text: &str| u64::from_str_radix(text, 16).ok().map(LogId);
        let app = match text.split_once('/')? {
            ("lamppost", id) => App::Raw(log(id)?),
            ("late", rest) => {
                let (id, day) = rest.split_once('/')?;
                App::Late(log(id)?, Day::parse(day)?)
            }
            ("tier", "closed") => App::Closed,
            ("tier", "floor") => App::Floor,
            ("gone", day) => App::Gone(Day::parse(day)?),
            _ => return None,
        };
        (app.to_string() == text).then_some(app)
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            App::Raw(log) => write!(f, "lamppost/{log}"),
            App::Late(log, day) => write!(f, "late/{log}/{day}"),
            App::Closed => f.write_str("tier/closed"),
            App::Floor => f.write_str("tier/floor"),
            App::Gone(day) => write!(f, "gone/{day}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_come_back_from_their_names() {
        let gone = App::Gone(Day(20_000));
        for app in [App::Raw(LogId(7)), App::Late(LogId(u64::MAX), Day(20_000)), App::Closed, App::Floor, gone] {
            assert_eq!(App::parse(&app.to_string()), Some(app));
        }
        assert_eq!(App::parse("spark/7"), None);
        assert_eq!(App::parse("lamppost/7"), None);
    }
}

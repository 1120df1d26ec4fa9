//! How many files and sockets the process may have open, and how many of them doors may take.

use access::Front;
use rustix::process::{Resource, getrlimit, setrlimit};

/// What is left for the store, queries and connections to brokers.
const KEPT: usize = 512;

/// Raises the soft limit to the hard one, which no right is needed for. Gives the limit that holds then.
pub(super) fn raise() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
    let now = getrlimit(Resource::Nofile).current;
    now.and_then(|now| usize::try_from(now).ok()).unwrap_or(usize::MAX)
}

/// Gives doors no more connections than the limit has room for; each is cut in the same proportion.
pub(super) fn fit(most: usize, fronts: &mut [(&str, &mut Front)]) {
    let room = most.saturating_sub(KEPT).max(KEPT);
    let wanted: usize = fronts.iter().map(|(_, front)| front.connections).sum();
    if wanted <= room {
        return;
    }
    for (door, front) in fronts {
        // In u128 no product of two counts overflows; the quotient is at most what was wanted.
        let share = front.connections as u128 * room as u128 / wanted as u128;
        let given = usize::try_from(share).unwrap_or(room).max(1);
        tracing::warn!(door, wanted = front.connections, given, "open files are limited: raise LimitNOFILE for more");
        front.connections = given;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_share_what_there_is() {
        for (most, given) in [(20_000, [4096, 10_000]), (4096, [1041, 2542]), (64, [148, 363])] {
            let (mut http, mut mqtt) = (Front::default(), Front { connections: 10_000, ..Front::default() });
            fit(most, &mut [("http", &mut http), ("mqtt", &mut mqtt)]);
            assert_eq!([http.connections, mqtt.connections], given);
        }
    }
}

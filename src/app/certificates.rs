//! The certificates of the doors while the server runs: read again when their files change, warned of before they expire.

use super::fronts::Fronts;
use access::{Front, Tls};
use schemas::Time;
use schemas::time::SECOND;
use std::time::Duration;
use store::Clock;
use tokio::signal::unix::{SignalKind, signal};

/// How often the files are looked at. They are small.
const LOOK: Duration = Duration::from_secs(2);
/// How long before its end a certificate is warned of, in seconds.
const SOON: i64 = 14 * 86_400;
/// How often it is warned of, in seconds.
const AGAIN: i64 = 86_400;

/// Watches the certificates of these doors for ever. SIGHUP has the files looked at straight away.
pub(super) async fn watch(fronts: &Fronts, clock: &Clock) {
    let mut hangup = signal(SignalKind::hangup()).ok();
    let doors: Vec<_> =
        fronts.each().into_iter().filter_map(|(door, front)| Some((door, front.tls.as_ref()?))).collect();
    let mut warned = vec![i64::MIN; doors.len()];
    loop {
        for ((door, tls), warned) in doors.iter().zip(&mut warned) {
            if refresh(door, tls).await {
                *warned = i64::MIN;
            }
            let now = clock().0 / SECOND;
            if let Some(warning) = warning(door, tls.expires(), now).filter(|_| now.saturating_sub(*warned) >= AGAIN) {
                *warned = now;
                tracing::warn!("{warning}");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            Some(()) = async { hangup.as_mut()?.recv().await } => {}
        }
    }
}

/// Reads a certificate again; whether there is a new one.
async fn refresh(door: &str, tls: &Tls) -> bool {
    let read = tls.clone();
    // Reading blocks for as long as the disk takes.
    match tokio::task::spawn_blocking(move || read.refresh()).await {
        Ok(Some(Ok(()))) => {
            tracing::info!(door, "the new certificate is shown from now on");
            true
        }
        Ok(Some(Err(wrong))) => {
            tracing::warn!(door, "the certificate before is kept: {wrong}");
            false
        }
        _ => false,
    }
}

/// What there is to say of the certificates of these doors at an instant.
pub(crate) fn warnings<'a>(fronts: impl IntoIterator<Item = (&'static str, &'a Front)>, now: Time) -> Vec<String> {
    let expiring = |(door, front): (&str, &Front)| warning(door, front.tls.as_ref()?.expires(), now.0 / SECOND);
    fronts.into_iter().filter_map(expiring).collect()
}

/// What there is to say of a certificate that expires then; both in seconds since 1970.
fn warning(door: &str, expires: i64, now: i64) -> Option<String> {
    let days = (expires - now).div_euclid(86_400);
    match expires - now {
        left if left > SOON => None,
        left if left > 0 => Some(format!("the certificate of {door}.tls expires in {days} days: renew it")),
        _ => Some(format!("the certificate of {door}.tls has expired: clients refuse it until it is renewed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_warned_of_in_its_last_fortnight() {
        assert_eq!(warning("http", SOON + 1, 0), None);
        assert!(warning("http", 3 * 86_400 + 5, 0).is_some_and(|said| said.contains("http.tls expires in 3 days")));
        assert!(warning("http", 5, 5).is_some_and(|said| said.contains("has expired")));
    }
}

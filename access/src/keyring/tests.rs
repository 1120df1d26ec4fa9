//! The life of keys, and of their file.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn scopes(words: &[&str]) -> Vec<Scope> {
    words.iter().map(|word| word.parse().expect("a scope")).collect()
}

#[test]
fn a_key_is_taken_until_it_expires_or_is_revoked() {
    let (start, end) = (at("2026-11-20T18:00:00Z"), at("2026-12-01T00:00:00Z"));
    let mut ring = Keyring::default();
    assert!(!ring.usable(start));
    let text = ring.add("Traffic office", scopes(&["read"]), start, Some(end)).expect("a key");
    let other = ring.add("Air", scopes(&["write:air_quality"]), start, None).expect("a key");
    let before = Timestamp::from_microsecond(end.as_microsecond() - 1).expect("an instant");
    assert_eq!(ring.check(text.reveal(), before).map(|key| key.name.clone()), Ok("Traffic office".to_owned()));
    assert_eq!(ring.check(text.reveal(), end), Err(Refusal::Expired));
    ring.revoke(other.id(), start).expect("known");
    assert_eq!(ring.check(other.reveal(), start), Err(Refusal::Revoked));
    assert!(ring.usable(before) && !ring.usable(end));
    let told = ring.revoke("nosuchid", start).expect_err("unknown");
    assert!(told.contains(text.id()) && told.contains(other.id()), "{told}");
}

#[test]
fn a_secret_of_another_key_opens_nothing_and_tells_no_state() {
    let now = at("2026-11-20T18:00:00Z");
    let mut ring = Keyring::default();
    let (one, other) =
        (ring.add("a", vec![], now, None).expect("a key"), ring.add("b", vec![], now, None).expect("a key"));
    let mixed = format!("{}{}", &one.reveal()[..12], &other.reveal()[12..]);
    assert_eq!(ring.check(&mixed, now), Err(Refusal::Unknown));
    ring.revoke(one.id(), now).expect("known");
    assert_eq!(ring.check(&mixed, now), Err(Refusal::Unknown), "who has not the secret is not told of the revocation");
    assert_eq!(ring.check("", now), Err(Refusal::Unknown));
}

#[test]
fn the_file_keeps_everything_but_the_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.toml");
    let now = at("2026-11-20T18:00:00Z");
    let text =
        Keyring::change(&file, |ring| ring.add("A \"name\"", scopes(&["read", "write:traffic"]), now, Some(now)));
    let text = text.expect("written");
    Keyring::change(&file, |ring| ring.revoke(text.id(), now)).expect("written");
    let kept = fs::read_to_string(&file).expect("a file");
    assert!(kept.contains(text.id()) && !kept.contains(&text.reveal()[12..]), "{kept}");
    let ring = Keyring::read(&file).expect("a keyring");
    assert_eq!(Keyring::parse(&ring.text()), Ok(ring.clone()));
    assert_eq!(ring.keys[0].revoked, Some(now));
    assert_eq!(ring.keys[0].digest, text.digest());
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_file_stays_with_its_owner_though_root_adds_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.toml");
    let now = at("2026-11-20T18:00:00Z");
    let server = 65_534;
    // Only root may give folders away: elsewhere there is nothing to see.
    if std::os::unix::fs::chown(folder.path(), Some(server), Some(server)).is_err() {
        return;
    }
    fs::write(beside(&file, "new"), "left by a run that was cut").expect("written");
    for _ in 0..2 {
        Keyring::change(&file, |ring| ring.add("x", vec![], now, None)).expect("written");
        let kept = fs::metadata(&file).expect("a file");
        assert_eq!((kept.uid(), kept.gid(), kept.mode() & 0o777), (server, server, 0o600));
    }
}

#[test]
fn two_who_add_at_once_both_stand_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.toml");
    let now = at("2026-11-20T18:00:00Z");
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| Keyring::change(&file, |ring| ring.add("x", vec![], now, None)).expect("written"));
        }
    });
    assert_eq!(Keyring::read(&file).expect("a keyring").keys.len(), 8);
}

#[test]
fn a_wrong_file_is_told_with_its_place() {
    let mut ring = Keyring::default();
    ring.add("a", scopes(&["read"]), at("2026-11-20T18:00:00Z"), None).expect("a key");
    let good = ring.text();
    for (from, to, hint) in [
        ("scopes = [\"read\"]", "scopes = [\"rad\"]", "is no scope"),
        ("sha256 = \"", "sha256 = \"zz", "64 hexadecimal"),
        ("name = ", "nam = ", "line 5"),
        ("created = \"2026", "created = \"26", "created"),
    ] {
        let told = Keyring::parse(&good.replace(from, to)).expect_err(from);
        assert!(told.contains(hint), "{hint}: {told}");
    }
    let twice = format!("{good}{}", &good[HEAD.len()..]);
    assert!(Keyring::parse(&twice).expect_err("twice").contains("twice"));
    assert_eq!(Keyring::read(Path::new("/nowhere/keys.toml")), Ok(Keyring::default()));
}

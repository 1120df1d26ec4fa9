//! Who a request is taken to come from.

use super::*;
use axum::http::HeaderValue;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn asked(peer: &str, headers: &[(&'static str, String)], ring: &Keyring) -> Result<Caller, Refusal> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).expect("a value"));
    }
    Caller::identify(peer.parse().ok().map(Peer), &map, ring, NOW)
}

fn local(peer: &str, host: &str, more: Option<&'static str>) -> bool {
    let mut headers = vec![("host", host.to_owned())];
    headers.extend(more.map(|name| (name, "192.0.2.7".to_owned())));
    asked(peer, &headers, &Keyring::default()) == Ok(Caller::Local)
}

#[test]
fn only_programs_on_this_machine_are_local() {
    assert!(local("127.0.0.1:5000", "127.0.0.1:8080", None));
    assert!(local("[::1]:5000", "[::1]:8080", None));
    assert!(local("[::ffff:127.0.0.1]:5000", "localhost", None));
    assert!(!local("192.168.1.7:5000", "127.0.0.1:8080", None));
    assert!(!local("127.0.0.1:5000", "evil.example:8080", None), "a rebound name");
    assert!(!local("127.0.0.1:5000", "localhost", Some("x-forwarded-for")), "through a proxy");
    assert!(!local("", "localhost", None), "no peer known");
}

#[test]
fn a_key_comes_as_bearer_token_or_password_and_a_wrong_one_is_refused() {
    let mut ring = Keyring::default();
    let text = ring.add("x", vec!["read:parking".parse().expect("a scope")], NOW, None).expect("a key");
    let basic = BASE64_STANDARD.encode(format!("anybody:{}", text.reveal()));
    for header in [format!("Bearer {}", text.reveal()), format!("token {}", text.reveal()), format!("Basic {basic}")] {
        let caller = asked("127.0.0.1:1", &[("authorization", header)], &ring).expect("a caller");
        assert!(caller.may(Right::Read, Some("parking")));
        assert!(!caller.may(Right::Read, Some("traffic")) && !caller.may(Right::Operate, None));
    }
    for wrong in ["Bearer nonsense", "Bearer", "Digest x", "Basic %%", &format!("Bearer {}x", text.reveal())] {
        let answer = asked("127.0.0.1:1", &[("authorization", wrong.to_owned())], &ring);
        assert_eq!(answer, Err(Refusal::Unknown), "{wrong}");
    }
}

#[test]
fn anybody_is_told_apart_by_address() {
    let of =
        |peer: &str| asked(peer, &[("host", "data.example.org".to_owned())], &Keyring::default()).expect("anybody");
    assert_eq!(of("192.0.2.7:1"), of("[::ffff:192.0.2.7]:2"));
    assert_ne!(of("192.0.2.7:1"), of("192.0.2.8:1"));
    assert_eq!(of("[2001:db8:1:2:3::4]:1"), of("[2001:db8:1:2:ffff::]:1"), "one household");
    assert_ne!(of("[2001:db8:1:2::]:1"), of("[2001:db8:1:3::]:1"));
    assert!(!of("192.0.2.7:1").may(Right::Read, Some("parking")));
}

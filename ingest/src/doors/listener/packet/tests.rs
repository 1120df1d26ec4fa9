//! Packets come out the same however the network cuts their bytes.

use super::*;

const LIMITS: Limits = Limits { packet: 1 << 20, payload: 300, head: 16 };

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match body.len() {
        short @ 0..128 => bytes.push(short as u8),
        long => bytes.extend([(long & 0x7f) as u8 | 0x80, (long >> 7) as u8]),
    }
    bytes.extend(body);
    bytes
}

fn publish(version: Version, payload: usize) -> Vec<u8> {
    let mut body = vec![0, 3, b'a', b'/', b'b', 0, 9];
    if version == Version::V5 {
        body.extend([3, 0x01, 1, 0x26]);
    }
    body.extend((0..payload).map(|i| i as u8));
    packet(0x3a, &body)
}

/// All packets of a stream that arrives in pieces of so many bytes; what follows a head is passed over.
fn all(bytes: &[u8], piece: usize, mut version: Option<Version>) -> Vec<Packet> {
    let (mut buffer, mut packets, mut skip) = (BytesMut::new(), Vec::new(), 0);
    for piece in bytes.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            let over = skip.min(buffer.len());
            drop(buffer.split_to(over));
            skip -= over;
            if skip > 0 {
                break;
            }
            match take(&mut buffer, version, LIMITS).expect("right packets") {
                None => break,
                Some(packet) => {
                    if let Packet::Head(_, rest) = packet {
                        skip = rest;
                    }
                    if let Packet::Connect(connect) = &packet {
                        version = Some(connect.version);
                    }
                    packets.push(packet);
                }
            }
        }
    }
    assert!(buffer.is_empty() && skip == 0);
    packets
}

#[test]
fn the_network_may_cut_anywhere() {
    for version in [Version::V311, Version::V5] {
        let mut bytes = Vec::new();
        let level = if version == Version::V5 { 5 } else { 4 };
        let properties: &[u8] = if version == Version::V5 { &[0] } else { &[] };
        let mut connect = vec![0, 4, b'M', b'Q', b'T', b'T', level, 0b1100_0110, 0, 30];
        connect.extend(properties);
        connect.extend([0, 1, b'c']);
        connect.extend(properties);
        connect.extend([0, 1, b'w', 0, 1, b'!', 0, 1, b'u', 0, 1, b'p']);
        bytes.extend(packet(0x10, &connect));
        for payload in [0, 5, 299, 300, 301, 5000, 17] {
            bytes.extend(publish(version, payload));
        }
        bytes.extend(packet(0xc0, &[]));
        bytes.extend(packet(0x40, &[0, 1]));
        bytes.extend(packet(0xe0, &[]));
        let whole = all(&bytes, bytes.len(), None);
        let Packet::Connect(connect) = &whole[0] else { panic!("{:?}", whole[0]) };
        assert_eq!((connect.version, &*connect.client, connect.clean, connect.keep_alive), (version, "c", true, 30));
        let sizes: Vec<(usize, usize)> = whole
            .iter()
            .filter_map(|packet| match packet {
                Packet::Publish(publish) | Packet::Head(publish, _) => Some((publish.size, publish.payload.len())),
                _ => None,
            })
            .collect();
        assert_eq!(sizes, [(0, 0), (5, 5), (299, 299), (300, 300), (301, 16), (5000, 16), (17, 17)]);
        assert_eq!(whole[8..], [Packet::Ping, Packet::Other, Packet::Disconnect]);
        for piece in 1..40 {
            assert_eq!(all(&bytes, piece, None), whole, "in pieces of {piece}");
        }
    }
}

#[test]
fn a_publish_is_read_field_by_field() {
    let bytes = publish(Version::V5, 2);
    let packets = all(&bytes, bytes.len(), Some(Version::V5));
    let right = Publish { topic: "a/b".into(), payload: vec![0, 1].into(), size: 2, qos: 1, id: 9, dup: true };
    assert_eq!(packets, [Packet::Publish(right)]);
}

#[test]
fn wrong_packets_are_refused_with_their_code() {
    let wrong = |bytes: &[u8], version: Option<Version>| {
        take(&mut BytesMut::from(bytes), version, LIMITS).expect_err("wrong").code
    };
    let v5 = Some(Version::V5);
    assert_eq!(wrong(&[0xc0, 0], None), PROTOCOL);
    assert_eq!(wrong(&packet(0x10, &[0, 4, b'M', b'Q', b'T', b'T', 3, 2, 0, 0, 0, 0]), None), VERSION);
    assert_eq!(wrong(&packet(0x10, &[0, 4, b'M', b'Q', b'T', b'T', 4, 3, 0, 0, 0, 0]), None), MALFORMED);
    assert_eq!(wrong(&packet(0x10, &[0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 9]), None), MALFORMED);
    assert_eq!(wrong(&[0x10, 0xff, 0xff, 0x7f], None), TOO_LARGE);
    assert_eq!(wrong(&packet(0x32, &[0, 0, 0, 1]), v5), TOPIC);
    assert_eq!(wrong(&packet(0x32, &[0, 1, 0xff, 0, 1, 0]), v5), MALFORMED);
    assert_eq!(wrong(&packet(0x32, &[0, 1, b'a', 0, 1, 9]), v5), MALFORMED);
    assert_eq!(wrong(&packet(0x36, &[0, 1, b'a', 0, 1, 0]), v5), MALFORMED);
    assert_eq!(wrong(&packet(0x82, &[0, 1, 0]), v5), PROTOCOL);
    assert_eq!(wrong(&packet(0x80, &[0, 1, 0, 0, 1, b'a', 0]), v5), MALFORMED);
    assert_eq!(wrong(&packet(0xf0, &[]), v5), MALFORMED);
}

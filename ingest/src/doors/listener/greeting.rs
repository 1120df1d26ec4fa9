//! CONNECT and its answer: who a device is, and what it may publish.

use super::Shared;
use super::clients::Place;
use super::connection::{End, READ};
use super::gate::{Login, Permit, Refusal};
use super::packet::{self, Limits, Packet, Version, Wrong};
use super::reply;
use access::{Line, Origin};
use bytes::BytesMut;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a CONNECT came to.
pub(super) struct Greeted {
    pub(super) version: Version,
    pub(super) keep_alive: Duration,
    pub(super) place: Place,
    pub(super) login: Login,
    pub(super) permit: Permit,
}

/// Reads CONNECT and answers it.
pub(super) async fn greet(
    stream: &mut Line,
    read: &mut BytesMut,
    (number, peer): (u64, SocketAddr),
    shared: &Shared,
) -> Result<Greeted, End> {
    let connect = loop {
        match packet::take(read, None, limits(shared)) {
            Ok(Some(Packet::Connect(connect))) => break connect,
            Ok(_) => {
                read.reserve(READ);
                if stream.read_buf(read).await? == 0 {
                    return Err(End::Gone);
                }
            }
            // An unknown version is told in the words of 3.1.1, which both sides may know.
            Err(wrong) => return refuse(stream, Version::V311, wrong).await,
        }
    };
    if let Err(wrong) = reply::check(&connect) {
        return refuse(stream, connect.version, wrong).await;
    }
    let permit = match permit(shared, &connect.login) {
        Ok(permit) => permit,
        Err(wrong) if wrong.code == reply::LOGIN && !shared.gate.bears(Origin::of(peer.ip())) => {
            // Whoever tries keys waits for each answer; a good one is never kept waiting, not even from the same address.
            tokio::time::sleep(shared.config.patience / 2).await;
            return refuse(stream, connect.version, Wrong { code: reply::QUOTA, what: "too many wrong keys" }).await;
        }
        Err(wrong) => return refuse(stream, connect.version, wrong).await,
    };
    let config = &shared.config;
    let promise = reply::Promise {
        receive_maximum: config.in_flight,
        packet: config.max_packet,
        assigned: connect.client.is_empty().then_some(number),
    };
    let mut out = Vec::new();
    reply::connack(&mut out, connect.version, promise);
    let name = if connect.client.is_empty() { format!("lamppost-{number}") } else { connect.client };
    let place = shared.clients.enter(name, number);
    stream.write_all(&out).await?;
    stream.flush().await?;
    // One and a half times what the client promised (3.1.2.10).
    let keep_alive = match connect.keep_alive {
        0 => config.idle,
        seconds => Duration::from_millis(1500) * u32::from(seconds),
    };
    Ok(Greeted { version: connect.version, keep_alive, place, login: connect.login, permit })
}

/// Answers a CONNECT with a refusal.
async fn refuse(stream: &mut Line, version: Version, wrong: Wrong) -> Result<Greeted, End> {
    let mut out = Vec::new();
    reply::refuse(&mut out, version, wrong);
    stream.write_all(&out).await?;
    stream.flush().await?;
    Err(End::Told(wrong))
}

/// What a login may do now.
pub(super) fn permit(shared: &Shared, login: &Login) -> Result<Permit, Wrong> {
    let admitted = shared.gate.admit(login, shared.intake.now());
    admitted.map(|(may, until)| Permit::new(may, until)).map_err(|refusal| match refusal {
        Refusal::Unknown => Wrong { code: reply::LOGIN, what: "the password must be a key of this server" },
        Refusal::Forbidden => Wrong { code: reply::FORBIDDEN, what: "the key has no scope that allows writing" },
    })
}

pub(super) fn limits(shared: &Shared) -> Limits {
    let config = &shared.config;
    Limits { packet: config.max_packet as usize, payload: config.max_message, head: config.reject_bytes }
}

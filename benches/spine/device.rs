//! Gateways that publish: raw MQTT over sockets, as little work as possible, so that the load hardly weighs on the machine.

use crate::load::{Lane, Load};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How long a load may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// Sends a load, each connection keeping up to `window` messages without PUBACK under way. Gives the time from the first
/// message to the last PUBACK; connecting is not in it. One thread does it all.
pub(crate) fn send(address: SocketAddr, load: &Arc<Load>, window: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let all = async {
            let mut tasks = JoinSet::new();
            let start = Arc::new(Barrier::new(load.lanes.len() + 1));
            for number in 0..load.lanes.len() {
                let (load, start) = (load.clone(), start.clone());
                tasks.spawn(async move {
                    let mut stream = connect(address, number).await;
                    start.wait().await;
                    publish(&mut stream, &load.lanes[number], window).await;
                });
            }
            start.wait().await;
            let begun = Instant::now();
            while let Some(ended) = tasks.join_next().await {
                ended.expect("a connection that stays");
            }
            begun.elapsed()
        };
        tokio::time::timeout(PATIENCE, all).await.expect("the load is taken in time")
    })
}

/// CONNECT (MQTT 3.1.1, section 3.1): clean session, no keep-alive, no login.
pub(crate) async fn connect(address: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a door that listens");
    stream.set_nodelay(true).expect("nodelay");
    let name = format!("bench-{number:02}");
    let mut packet = vec![0x10, (12 + name.len()) as u8, 0, 4];
    packet.extend(b"MQTT\x04\x02\0\0");
    packet.extend((name.len() as u16).to_be_bytes());
    packet.extend(name.as_bytes());
    stream.write_all(&packet).await.expect("CONNECT");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.expect("CONNACK");
    assert_eq!((answer[0], answer[3]), (0x20, 0), "welcome");
    stream
}

/// Sends what the window allows in one write, reads what has been acknowledged, and so on.
async fn publish(stream: &mut TcpStream, lane: &Lane, window: usize) {
    let (mut sent, mut acked) = (0, 0);
    let mut read = vec![0; 4096];
    // Bytes read of a PUBACK that has not come whole.
    let mut part = 0;
    while acked < lane.ends.len() {
        let upto = (acked + window).min(lane.ends.len());
        if upto > sent {
            let begin = if sent == 0 { 0 } else { lane.ends[sent - 1] };
            stream.write_all(&lane.bytes[begin..lane.ends[upto - 1]]).await.expect("a door that reads");
            sent = upto;
        }
        let got = stream.read(&mut read[part..]).await.expect("PUBACKs");
        assert!(got > 0, "the connection was closed after {acked} of {} PUBACKs", lane.ends.len());
        let whole = part + got;
        for puback in read[..whole].chunks_exact(4) {
            assert_eq!((puback[0], puback[1]), (0x40, 2), "a PUBACK");
        }
        acked += whole / 4;
        part = whole % 4;
        read.copy_within(whole - part..whole, 0);
    }
}

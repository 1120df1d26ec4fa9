//! A load that keeps its pace: devices send when it is time, and PUBACKs are timed from the instant a message was due.

use crate::load::Load;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// Sensors of the load, one message each a round.
const ROUND: usize = crate::load::SENSORS;

/// Sends so many messages a second for so many seconds, evenly over all connections. Tells how many they were, after how many
/// milliseconds PUBACKs came (p50, p99, p99.9), and how late the load was with sending itself (p99).
pub(crate) fn send(address: SocketAddr, rate: usize, seconds: usize) {
    let load = Arc::new(Load::new((rate * seconds).div_ceil(ROUND)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let (mut took, mut late) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let begin = Instant::now() + Duration::from_millis(200);
        let lanes = load.lanes.len();
        let gap = Duration::from_secs_f64(lanes as f64 / rate as f64);
        for number in 0..lanes {
            // The connections take turns within a gap, so that messages come evenly.
            let first = begin + gap.mul_f64(number as f64 / lanes as f64);
            tasks.spawn(lane(address, load.clone(), number, first, gap));
        }
        while let Some(ended) = tasks.join_next().await {
            let (acks, sends) = ended.expect("a connection that stays");
            took.extend(acks);
            late.extend(sends);
        }
    });
    let messages = took.len();
    let at = |of: &mut Vec<f64>, share: f64| {
        of.sort_by(f64::total_cmp);
        of[((of.len() - 1) as f64 * share) as usize]
    };
    let (p50, p99, p999) = (at(&mut took, 0.5), at(&mut took, 0.99), at(&mut took, 0.999));
    println!("{messages} {p50} {p99} {p999} {}", at(&mut late, 0.99));
}

/// One connection: milliseconds to each PUBACK, and those each send was late.
async fn lane(
    address: SocketAddr,
    load: Arc<Load>,
    number: usize,
    first: Instant,
    gap: Duration,
) -> (Vec<f64>, Vec<f64>) {
    let mut stream = crate::device::connect(address, number).await;
    let lane = &load.lanes[number];
    let due = |i: usize| first + gap.mul_f64(i as f64);
    let millis = |instant: Instant| instant.elapsed().as_secs_f64() * 1e3;
    let (mut sent, mut part, mut took, mut late) = (0, 0, Vec::new(), Vec::new());
    let mut read = [0; 4096];
    while took.len() < lane.ends.len() {
        let begun = sent;
        while sent < lane.ends.len() && due(sent) <= Instant::now() {
            late.push(millis(due(sent)));
            sent += 1;
        }
        if sent > begun {
            let from = if begun == 0 { 0 } else { lane.ends[begun - 1] };
            stream.write_all(&lane.bytes[from..lane.ends[sent - 1]]).await.expect("a door that reads");
        }
        let next = if sent < lane.ends.len() { due(sent) } else { Instant::now() + Duration::from_secs(30) };
        tokio::select! {
            got = stream.read(&mut read[part..]) => {
                let whole = part + got.expect("PUBACKs");
                for _ in 0..whole / 4 {
                    took.push(millis(due(took.len())));
                }
                part = whole % 4;
            }
            () = tokio::time::sleep_until(next.into()) => {}
        }
    }
    (took, late)
}

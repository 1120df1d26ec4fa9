//! Devices that connect and then say nothing.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections being made at once.
const AT_ONCE: usize = 64;

/// Connects so many devices, tells how many seconds that took, and keeps them until standard input ends.
pub(crate) fn connect(address: SocketAddr, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let _open = runtime.block_on(async {
        let (begun, places) = (Instant::now(), Arc::new(Semaphore::new(AT_ONCE)));
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let place = places.clone().acquire_owned().await.expect("a place");
            tasks.spawn(async move {
                let stream = crate::device::connect(address, number).await;
                drop(place);
                stream
            });
        }
        let open = tasks.join_all().await;
        println!("{}", begun.elapsed().as_secs_f64());
        open
    });
    let _ = std::io::stdin().read(&mut [0]);
}

/// The seconds that the load tells.
pub(crate) fn told(stdout: impl Read) -> f64 {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("the load's word");
    line.trim().parse().expect("seconds")
}

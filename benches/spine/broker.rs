//! A real Mosquitto on a free port.

use crate::process::{Process, Used, pause};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A running broker.
pub(crate) struct Mosquitto {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    process: Process,
}

impl Mosquitto {
    /// Starts one that queues without bound for its subscribers, as a city's broker is set up, so that none of the load is
    /// lost when a subscriber is slower than the devices.
    pub(crate) fn start(folder: &Path) -> Mosquitto {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let address = free.expect("a free port");
        let config = folder.join("mosquitto.conf");
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n\
             persistence false\nlog_type error\n",
            address.port()
        );
        std::fs::write(&config, text).expect("mosquitto.conf");
        // Debian keeps it where a user's PATH does not look.
        let mut command = Command::new("/usr/sbin/mosquitto");
        let broker =
            Mosquitto { address, process: Process::start(command.arg("-c").arg(&config).stderr(Stdio::null())) };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "mosquitto does not listen on {address}");
            pause(Duration::from_millis(20));
        }
        broker
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Used {
        self.process.used()
    }
}

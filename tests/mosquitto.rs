//! A real Mosquitto on a free port, stopped when dropped.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running broker.
pub(crate) struct Mosquitto {
    /// Where it listens on loopback.
    pub(crate) port: u16,
    child: Child,
}

impl Mosquitto {
    /// Starts one that queues without bound for absent sessions, as a city's broker is set up.
    pub(crate) fn start(folder: &Path) -> Mosquitto {
        Mosquitto::start_with(folder, "")
    }

    /// The same with TLS, by `cert.pem` and `key.pem` of the folder.
    pub(crate) fn start_secret(folder: &Path) -> Mosquitto {
        let at = folder.display();
        Mosquitto::start_with(folder, &format!("certfile {at}/cert.pem\nkeyfile {at}/key.pem\nuser root\n"))
    }

    fn start_with(folder: &Path, more: &str) -> Mosquitto {
        let port = TcpListener::bind("127.0.0.1:0").expect("free port").local_addr().expect("address").port();
        let config = folder.join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\n{more}allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n\
             persistence false\nlog_type error\n"
        );
        std::fs::write(&config, text).expect("mosquitto.conf");
        let child = Command::new("/usr/sbin/mosquitto").arg("-c").arg(&config).stderr(Stdio::null()).spawn();
        let broker = Mosquitto { port, child: child.expect("mosquitto: apt-get install mosquitto") };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "mosquitto does not listen on {port}");
            crate::server::pause(Duration::from_millis(20));
        }
        broker
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

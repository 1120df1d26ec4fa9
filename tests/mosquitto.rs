//! A real Mosquitto on a free port, stopped when dropped.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running broker.
pub(crate) struct Mosquitto {
    /// Where it listens on loopback.
    pub(crate) port: u16,
    config: PathBuf,
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

    /// One that saves its sessions when it is asked to end, so that it can be [`Mosquitto::restart`]ed.
    pub(crate) fn start_lasting(folder: &Path) -> Mosquitto {
        Mosquitto::start_with(
            folder,
            &format!("persistence true\npersistence_location {}/\nuser root\n", folder.display()),
        )
    }

    fn start_with(folder: &Path, more: &str) -> Mosquitto {
        let port = TcpListener::bind("127.0.0.1:0").expect("free port").local_addr().expect("address").port();
        let config = folder.join("mosquitto.conf");
        let text = format!(
            "listener {port} 127.0.0.1\n{more}allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\n\
             log_type error\n"
        );
        std::fs::write(&config, text).expect("mosquitto.conf");
        let child = Mosquitto::run(&config, port);
        Mosquitto { port, config, child }
    }

    fn run(config: &Path, port: u16) -> Child {
        let child = Command::new("/usr/sbin/mosquitto").arg("-c").arg(config).stderr(Stdio::null()).spawn();
        let child = child.expect("mosquitto: apt-get install mosquitto");
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "mosquitto does not listen on {port}");
            crate::server::pause(Duration::from_millis(20));
        }
        child
    }

    /// Asks it to save its sessions and end, and starts it again.
    pub(crate) fn restart(&mut self) {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().expect("kill");
        assert!(told.success());
        self.child.wait().expect("wait");
        self.child = Mosquitto::run(&self.config, self.port);
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

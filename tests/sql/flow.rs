//! Readings that keep flowing while something else goes on, and the longest time they did not.

use crate::cli::program::get;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A publisher and a watch on what is acknowledged to it.
pub(super) struct Flow {
    publisher: Child,
    stop: Arc<AtomicBool>,
    watch: Option<JoinHandle<Calm>>,
}

/// The longest times of a watch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Calm {
    /// Without another message acknowledged.
    pub(super) acks: Duration,
    /// Until `/health` answered.
    pub(super) health: Duration,
    /// Messages acknowledged.
    pub(super) acked: u64,
}

impl Flow {
    /// Publishes the rows of a file, 50 a second.
    pub(super) fn start(file: &Path, http: &str, mqtt: &str) -> Flow {
        let mut publisher = Command::new(env!("CARGO_BIN_EXE_lamppost"));
        publisher.arg("replay").arg(file).args(["--to", mqtt, "--topic", "town/{id}", "--rate", "50"]);
        let publisher = publisher.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (http, stopped) = (http.to_owned(), stop.clone());
        let watch = std::thread::spawn(move || watch(&http, &stopped));
        Flow { publisher, stop, watch: Some(watch) }
    }

    /// How it was.
    pub(super) fn end(mut self) -> Calm {
        self.stop.store(true, Ordering::Relaxed);
        self.watch.take().unwrap().join().unwrap()
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.publisher.kill();
        let _ = self.publisher.wait();
    }
}

/// Looks each 50 ms until it is told to stop.
fn watch(http: &str, stop: &AtomicBool) -> Calm {
    let mut calm = Calm::default();
    let mut last = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        assert_eq!(get(http, "/health").0, 200);
        calm.health = calm.health.max(asked.elapsed());
        let status: serde_json::Value = serde_json::from_str(&get(http, "/status").1).unwrap();
        let acked = status["doors"][0]["acked"].as_u64().unwrap();
        if acked > calm.acked {
            (calm.acked, last) = (acked, Instant::now());
        }
        // The first connection is not waited for: it may come late on a busy machine.
        if acked > 0 {
            calm.acks = calm.acks.max(last.elapsed());
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    calm
}

//! A process under measurement: its CPU and memory as Linux counts them.

use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// Ticks of a second in `/proc/PID/stat`: USER_HZ, 100 on every Linux that programs see (proc(5)).
const TICKS: f64 = 100.0;

/// A child, killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
}

/// Memory of a process now, in MB (10^6 bytes).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resident {
    /// With mapped files that were touched.
    pub(crate) all: f64,
    /// Without files.
    pub(crate) own: f64,
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Seconds of CPU, in user and kernel, of all its threads. In steps of 10 ms.
    pub(crate) cpu: f64,
    /// The most memory it had resident at any time, in MB (10^6 bytes): VmHWM. Mapped files that were touched count.
    pub(crate) peak: f64,
}

impl Process {
    /// Starts a command.
    pub(crate) fn start(command: &mut Command) -> Process {
        let child = command.spawn();
        Process { child: child.unwrap_or_else(|e| panic!("cannot start {:?}: {e}", command.get_program())) }
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> Used {
        Used { cpu: cpu(&self.child.id().to_string()), peak: peak(self.child.id()) }
    }

    /// What it has resident now.
    pub(crate) fn resident(&self) -> Resident {
        let status = status(self.child.id());
        Resident { all: megabytes(&status, "VmRSS:"), own: megabytes(&status, "RssAnon:") }
    }

    /// Waits for its end. What it used is looked at each 20 ms, so the last of it may be missing.
    pub(crate) fn finish(mut self) -> (ExitStatus, Used) {
        let mut last = Used::default();
        loop {
            let used = self.used();
            last = Used { cpu: used.cpu.max(last.cpu), peak: used.peak.max(last.peak) };
            if let Some(status) = self.child.try_wait().expect("wait") {
                return (status, last);
            }
            pause(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of CPU of a process: a number, or `self` for this one.
pub(crate) fn cpu(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; utime and stime are the 12th and 13th after it.
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

/// Seconds of CPU of the whole machine that anybody used, other machines on the same hardware included (steal).
pub(crate) fn machine() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect();
    // The 4th and 5th are idle and waiting for disks; guests from the 9th on are in the first two already.
    let busy = ticks.iter().enumerate().filter(|(at, _)| *at < 8 && *at != 3 && *at != 4);
    busy.map(|(_, ticks)| ticks).sum::<f64>() / TICKS
}

fn peak(process: u32) -> f64 {
    megabytes(&status(process), "VmHWM:")
}

fn status(process: u32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default()
}

/// MB of a line of a status.
fn megabytes(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    kibibytes * 1024.0 / 1e6
}

/// Waits between two looks at another process; there is nothing to be woken by.
pub(crate) fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "polls another process")]
    std::thread::sleep(time);
}

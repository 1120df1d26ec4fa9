//! Full disks, real ones of a few mebibytes: intake stops and says why, what was acknowledged stays, and it goes on when there is room.

use crate::testing::bed::{ALWAYS, Rows, rows_of};
use crate::testing::{batch, dataset, noon};
use crate::{Append, Config, Kind, Reader, Writer};
use schemas::Dataset;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Bytes of the small disk.
const SIZE: u64 = 3 << 20;
/// What lies on it besides.
const BALLAST: usize = 1 << 20;

/// A small disk in memory, with ballast on it; let go at the end.
struct Small(TempDir);

impl Small {
    /// Nothing, said past the test harness, where this process may not mount.
    fn mount() -> Option<Small> {
        let folder = TempDir::new().unwrap();
        let options = format!("size={SIZE}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "lamppost-test"]).arg(folder.path()).stderr(Stdio::null());
        if !mount.status().is_ok_and(|status| status.success()) {
            let _ = writeln!(std::io::stderr(), "skipped: a full disk: this process may not mount a tmpfs");
            return None;
        }
        std::fs::write(folder.path().join("ballast"), vec![7; BALLAST]).unwrap();
        Some(Small(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a store that a failed test left open may hold files.
        let _ = Command::new("umount").arg("-l").arg(self.path()).stderr(Stdio::null()).status();
    }
}

/// A store at work, and the rows it has acknowledged.
struct Town {
    config: Config,
    dataset: Arc<Dataset>,
    writer: Writer,
    reader: Reader,
    truth: Rows,
    next: i64,
}

impl Town {
    async fn new(log: &Path, data: &Path, reserve: u64) -> Town {
        let mut config = Config::new(log.join("log"), data.join("data"));
        config.reserve_bytes = reserve;
        config.hot_bytes = 64 << 10;
        config.segment_bytes = 256 << 10;
        config.flush_age = Duration::from_millis(50);
        let dataset = dataset("d", 4);
        let (writer, reader) = crate::open(config.clone(), vec![dataset.clone()], Arc::new(noon)).await.unwrap();
        Town { config, dataset, writer, reader, truth: Rows::new(), next: 0 }
    }

    /// Appends 200 rows that do not compress well.
    async fn put(&mut self) -> Result<(), Kind> {
        let values = |time: i64| {
            [0, 1, 2, 3].map(|field| (field, (time * 4 + field as i64).wrapping_mul(0x9e37_79b9) & 0xff_ffff))
        };
        let times: Vec<i64> = (self.next..self.next + 200).collect();
        self.next += 200;
        let values: Vec<_> = times.iter().map(|time| values(*time)).collect();
        let rows: Vec<_> = times.iter().zip(&values).map(|(time, values)| ("y", *time, values.as_slice())).collect();
        let append = Append { batches: vec![batch(&self.dataset, &rows)], rejects: Vec::new() };
        match self.writer.append(append).await {
            Ok(_) => {
                let row = |(_, time, values): &(&str, i64, &[(usize, i64)])| {
                    (("y".to_owned(), *time), values.iter().map(|value| value.1).collect())
                };
                self.truth.extend(rows.iter().map(row));
                Ok(())
            }
            Err(error) => {
                assert!(!error.message.is_empty());
                Err(error.kind)
            }
        }
    }

    /// Appends until the disk is said to be full. Busy and I/O errors in between are waited out.
    async fn fill(&mut self) {
        self.until(|kind| kind == Err(Kind::Full)).await;
    }

    /// Appends until the answer is such.
    async fn until(&mut self, such: impl Fn(Result<(), Kind>) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.put().await;
            if such(answer) {
                return;
            }
            assert!(Instant::now() < deadline, "a minute long: {answer:?}");
            assert!(matches!(answer, Ok(()) | Err(Kind::Busy | Kind::Full)), "{answer:?}");
            if answer.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Rows that are there are those that were acknowledged.
    async fn check(&self) {
        let snapshot = self.reader.snapshot("d").unwrap();
        assert!(snapshot.rows_at_most(ALWAYS) >= self.truth.len() as u64);
        assert!(rows_of(&snapshot).await == self.truth, "other rows than acknowledged");
    }

    /// Closes, however that goes, and opens again.
    async fn restart(mut self) -> Town {
        let _ = self.writer.close().await;
        (self.writer, self.reader) =
            crate::open(self.config.clone(), vec![self.dataset.clone()], Arc::new(noon)).await.unwrap();
        self
    }

    /// Is full, keeps what it has, takes more when there is room, and has all of it after a restart.
    async fn through(mut self, disk: &Small) {
        self.fill().await;
        self.check().await;
        disk.make_room();
        self.until(|kind| kind == Ok(())).await;
        for _ in 0..20 {
            self.until(|kind| kind == Ok(())).await;
        }
        self.check().await;
        let town = self.restart().await;
        town.check().await;
        town.writer.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_log_on_a_full_disk() {
    let Some(disk) = Small::mount() else { return };
    let data = TempDir::new().unwrap();
    let mut town = Town::new(disk.path(), data.path(), 0).await;
    // Nothing is let go of the log meanwhile: maintenance has as good as no turn.
    town.writer.close().await.unwrap();
    town.config.flush_age = Duration::from_secs(3600);
    town.config.hot_bytes = 64 << 20;
    let town = town.restart().await;
    town.through_log(&disk).await;
}

impl Town {
    /// As [`Town::through`], where only a flush makes room, and the ballast's.
    async fn through_log(mut self, disk: &Small) {
        self.fill().await;
        self.check().await;
        let stopped = self.reader.status().stopped.expect("status says that intake is stopped");
        assert!(stopped.contains("log"), "{stopped}");
        // Killed in that state, as far as the log can tell: all that was acknowledged is there again.
        let copy = TempDir::new().unwrap();
        copy_tree(&self.config.log, &copy.path().join("log"));
        copy_tree(&self.config.data, &copy.path().join("data"));
        let mut config = Config::new(copy.path().join("log"), copy.path().join("data"));
        config.reserve_bytes = 0;
        let (writer, reader) = crate::open(config, vec![self.dataset.clone()], Arc::new(noon)).await.unwrap();
        assert!(rows_of(&reader.snapshot("d").unwrap()).await == self.truth, "other rows than acknowledged");
        writer.close().await.unwrap();
        self.through(disk).await;
    }
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_tree(&entry.path(), &to),
            false => std::fs::copy(entry.path(), to).map(|_| ()).unwrap(),
        }
    }
}

#[tokio::test]
async fn data_on_a_full_disk() {
    let Some(disk) = Small::mount() else { return };
    let log = TempDir::new().unwrap();
    let mut town = Town::new(log.path(), disk.path(), 0).await;
    town.fill().await;
    let stopped = town.reader.status().stopped.expect("status says that intake is stopped");
    assert!(stopped.contains("data has no room"), "{stopped}");
    town.through(&disk).await;
}

#[tokio::test]
async fn intake_stops_before_a_disk_is_full() {
    let reserve = 700 << 10;
    for (log_is_small, named) in [(true, "log"), (false, "data")] {
        let Some(disk) = Small::mount() else { return };
        let other = TempDir::new().unwrap();
        let (log, data) = if log_is_small { (disk.path(), other.path()) } else { (other.path(), disk.path()) };
        // The other disk is taken to have more than the reserve.
        let mut town = Town::new(log, data, reserve).await;
        town.writer.close().await.unwrap();
        town.config.hot_bytes = if log_is_small { 64 << 20 } else { 64 << 10 };
        town.config.flush_age = Duration::from_secs(if log_is_small { 3600 } else { 1 });
        let mut town = town.restart().await;
        town.fill().await;
        let free = crate::disk::free_bytes(disk.path()).unwrap();
        assert!(free > reserve / 4, "{free} bytes are free, {reserve} were to be");
        let stopped = town.reader.status().stopped.expect("status says so");
        assert!(stopped.contains(&format!("/{named}")), "{stopped}");
        town.check().await;
        town.through(&disk).await;
    }
}

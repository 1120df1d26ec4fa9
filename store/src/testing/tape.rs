//! Disks for tests: one that tapes what is done to it and can give out what a power cut at any moment may leave, and one whose
//! syncs cost nothing.
//!
//! What lasts is what POSIX promises, and no more: bytes and length of a file up to its last sync that was a success; entries of a
//! folder up to the folder's. Of what came after, any part may be there: each write whole, cut short, in some of its sectors
//! or as zeros, each making, renaming or removing of an entry or not. A sync that fails drops what it should
//! have written: some of it is on the medium, the rest never will be.

use super::Dice;
use crate::disk::{Disk, Real};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A disk whose syncs do nothing.
#[derive(Debug)]
pub(crate) struct Volatile;

impl Disk for Volatile {
    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// One thing done to the disk. Paths are below the tape's root.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create(PathBuf, usize),
    Write(usize, usize, Arc<[u8]>),
    Length(usize, usize),
    Sync(usize),
    /// A sync of a file that failed.
    Lost(usize),
    SyncFolder(PathBuf),
    Make(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
}

/// What goes wrong, and after how many calls more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// From then on nothing is done any more: the process is dead.
    Dies(usize),
    /// That sync of a file fails.
    Sync(usize),
    /// That sync of a folder fails, and so many after it.
    Folder(usize, usize),
}

#[derive(Debug, Default)]
struct Reel {
    steps: Vec<Step>,
    /// By inode the number of a file.
    files: HashMap<u64, usize>,
    made: usize,
    fate: Option<Fate>,
    /// Files whose sync has failed.
    failed: HashSet<usize>,
    /// Files that were synced, and called whole, after that.
    retried: Vec<usize>,
}

/// A disk that does everything but syncing, and tapes all of it.
#[derive(Debug)]
pub(crate) struct Tape {
    root: PathBuf,
    reel: Mutex<Reel>,
}

impl Tape {
    /// A tape of a folder that is empty, and as such on the medium.
    pub(crate) fn new(root: &Path) -> Arc<Tape> {
        Arc::new(Tape { root: root.canonicalize().unwrap(), reel: Mutex::default() })
    }

    /// How much is on it.
    pub(crate) fn len(&self) -> usize {
        self.reel().steps.len()
    }

    /// A copy of it.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.reel().steps.clone()
    }

    /// What shall go wrong, or that nothing shall.
    pub(crate) fn meet(&self, fate: Option<Fate>) {
        self.reel().fate = fate;
    }

    /// Whether what was to go wrong still lies ahead.
    pub(crate) fn waits(&self) -> bool {
        self.reel().fate.is_some()
    }

    /// How many files were synced again after their sync had failed.
    pub(crate) fn retried(&self) -> usize {
        self.reel().retried.len()
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.reel.lock().unwrap()
    }

    /// The path below the root, if it is there.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        let full = path.canonicalize().or_else(|_| {
            let folder = path.parent().unwrap_or(path).canonicalize()?;
            Ok::<_, io::Error>(folder.join(path.file_name().unwrap_or_default()))
        });
        full.ok()?.strip_prefix(&self.root).ok().map(Path::to_path_buf)
    }

    /// Does something to names and tapes it.
    fn named<T>(
        &self,
        paths: [&Path; 2],
        work: impl FnOnce() -> io::Result<T>,
        step: impl FnOnce([PathBuf; 2], &T, &mut Reel) -> Step,
    ) -> io::Result<T> {
        let mut reel = self.reel();
        reel.alive()?;
        let below = paths.map(|path| self.below(path));
        let done = work()?;
        if let [Some(one), Some(other)] = below {
            let step = step([one, other], &done, &mut reel);
            reel.steps.push(step);
        }
        Ok(done)
    }
}

impl Reel {
    fn alive(&mut self) -> io::Result<()> {
        match &mut self.fate {
            Some(Fate::Dies(0)) => Err(io::Error::other("the process is dead")),
            Some(Fate::Dies(after)) => {
                *after -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn file(&self, file: &File) -> io::Result<usize> {
        let inode = file.metadata()?.ino();
        self.files.get(&inode).copied().ok_or_else(|| io::Error::other("a file made behind the tape's back"))
    }
}

impl Disk for Tape {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.named(
            [path; 2],
            || Real.create(path),
            |[path, _], file, reel| {
                reel.made += 1;
                let inode = file.metadata().map_or(0, |found| found.ino());
                reel.files.insert(inode, reel.made - 1);
                Step::Create(path, reel.made - 1)
            },
        )
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        let file = Real.open(path)?;
        let mut reel = self.reel();
        // Another process, which writes again what it finds before it syncs.
        if let Ok(number) = reel.file(&file) {
            reel.failed.remove(&number);
        }
        Ok(file)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let mut reel = self.reel();
        reel.alive()?;
        let (number, at) = (reel.file(file)?, file.stream_position()? as usize);
        Real.write(file, bytes)?;
        reel.steps.push(Step::Write(number, at, bytes.into()));
        Ok(())
    }

    fn set_len(&self, file: &File, bytes: u64) -> io::Result<()> {
        let mut reel = self.reel();
        reel.alive()?;
        let number = reel.file(file)?;
        Real.set_len(file, bytes)?;
        reel.steps.push(Step::Length(number, bytes as usize));
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut reel = self.reel();
        reel.alive()?;
        let number = reel.file(file)?;
        if reel.failed.contains(&number) {
            reel.retried.push(number);
        }
        match &mut reel.fate {
            Some(Fate::Sync(0)) => {
                reel.fate = None;
                reel.failed.insert(number);
                reel.steps.push(Step::Lost(number));
                return Err(io::Error::other("input/output error"));
            }
            Some(Fate::Sync(after)) => *after -= 1,
            _ => {}
        }
        reel.steps.push(Step::Sync(number));
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut reel = self.reel();
        reel.alive()?;
        let Some(below) = self.below(folder) else { return Ok(()) };
        match &mut reel.fate {
            Some(Fate::Folder(0, more)) => {
                match more {
                    0 => reel.fate = None,
                    _ => *more -= 1,
                }
                return Err(io::Error::other("input/output error"));
            }
            Some(Fate::Folder(after, _)) => *after -= 1,
            _ => {}
        }
        reel.steps.push(Step::SyncFolder(below));
        Ok(())
    }

    fn make(&self, folder: &Path) -> io::Result<()> {
        self.named([folder; 2], || Real.make(folder), |[path, _], (), _| Step::Make(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.named([from, to], || Real.rename(from, to), |[from, to], (), _| Step::Rename(from, to))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.named([from, to], || Real.link(from, to), |[from, to], (), _| Step::Link(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.named([path; 2], || Real.remove(path), |[path, _], (), _| Step::Remove(path))
    }
}

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug)]
enum Node {
    File(usize),
    Folder(usize),
}

/// A change of a file that no sync covers.
#[derive(Clone, Debug)]
enum Change {
    Write(usize, Arc<[u8]>),
    Length(usize),
}

/// Names that come or go together.
type Turn = Vec<(String, Option<Node>)>;

#[derive(Clone, Debug, Default)]
struct Folder {
    kept: BTreeMap<String, Node>,
    live: BTreeMap<String, Node>,
    waiting: Vec<Turn>,
}

#[derive(Clone, Debug, Default)]
struct Bytes {
    kept: Vec<u8>,
    waiting: Vec<Change>,
}

/// How much of what no sync covers is there after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// Any part of it.
    Some,
    All,
}

/// The medium below the disk: what is on it for sure, and what may be.
#[derive(Clone, Debug)]
pub(crate) struct Medium {
    folders: Vec<Folder>,
    files: Vec<Bytes>,
}

impl Medium {
    /// An empty folder.
    pub(crate) fn new() -> Medium {
        Medium { folders: vec![Folder::default()], files: Vec::new() }
    }

    /// Does a step.
    pub(crate) fn take(&mut self, step: &Step, dice: &mut Dice) {
        match step {
            Step::Create(path, file) => {
                self.files.resize(self.files.len().max(file + 1), Bytes::default());
                self.turn(path, |name| vec![(name, Some(Node::File(*file)))]);
            }
            Step::Make(path) => {
                self.folders.push(Folder::default());
                let node = Node::Folder(self.folders.len() - 1);
                self.turn(path, |name| vec![(name, Some(node))]);
            }
            Step::Write(file, at, bytes) => self.files[*file].waiting.push(Change::Write(*at, bytes.clone())),
            Step::Length(file, bytes) => self.files[*file].waiting.push(Change::Length(*bytes)),
            Step::Sync(file) => self.files[*file].settle(Left::All, dice),
            Step::Lost(file) => self.files[*file].settle(Left::Some, dice),
            Step::SyncFolder(path) => {
                let folder = self.folder(path);
                let folder = &mut self.folders[folder];
                folder.kept = folder.live.clone();
                folder.waiting.clear();
            }
            Step::Remove(path) => self.turn(path, |name| vec![(name, None)]),
            Step::Link(from, to) => {
                let node = self.node(from);
                self.turn(to, |name| vec![(name, Some(node))]);
            }
            Step::Rename(from, to) => {
                assert_eq!(from.parent(), to.parent(), "renamed in one folder");
                let node = self.node(from);
                let gone = from.file_name().unwrap().to_string_lossy().into_owned();
                self.turn(to, |name| vec![(gone, None), (name, Some(node))]);
            }
        }
    }

    /// Changes names in the folder of a path.
    fn turn(&mut self, path: &Path, turn: impl FnOnce(String) -> Turn) {
        let folder = self.folder(path.parent().unwrap());
        let turn = turn(path.file_name().unwrap().to_string_lossy().into_owned());
        apply(&mut self.folders[folder].live, &turn);
        self.folders[folder].waiting.push(turn);
    }

    fn folder(&self, path: &Path) -> usize {
        path.components().fold(0, |at, part| match self.folders[at].live[&*part.as_os_str().to_string_lossy()] {
            Node::Folder(below) => below,
            Node::File(_) => panic!("{} is a file", path.display()),
        })
    }

    fn node(&self, path: &Path) -> Node {
        self.folders[self.folder(path.parent().unwrap())].live[&*path.file_name().unwrap().to_string_lossy()]
    }

    /// Writes into an empty folder what a power cut now could leave.
    pub(crate) fn cut(&self, to: &Path, left: Left, dice: &mut Dice) {
        self.pour(0, to, left, dice);
    }

    fn pour(&self, folder: usize, to: &Path, left: Left, dice: &mut Dice) {
        let Folder { kept, waiting, .. } = &self.folders[folder];
        let mut names = kept.clone();
        for turn in waiting {
            if left == Left::All || left == Left::Some && dice.below(2) == 0 {
                apply(&mut names, turn);
            }
        }
        for (name, node) in names {
            match node {
                Node::Folder(below) => {
                    fs::create_dir(to.join(&name)).unwrap();
                    self.pour(below, &to.join(&name), left, dice);
                }
                Node::File(file) => {
                    let mut bytes = self.files[file].clone();
                    bytes.settle(left, dice);
                    fs::write(to.join(&name), bytes.kept).unwrap();
                }
            }
        }
    }
}

fn apply(names: &mut BTreeMap<String, Node>, turn: &Turn) {
    for (name, node) in turn {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

impl Bytes {
    /// Brings as much of what waits to the medium as is left.
    fn settle(&mut self, left: Left, dice: &mut Dice) {
        for change in std::mem::take(&mut self.waiting) {
            match (change, left) {
                (_, Left::Nothing) => {}
                (Change::Length(bytes), Left::Some) if dice.below(2) == 0 => self.kept.resize(bytes, 0),
                (Change::Length(_), Left::Some) => {}
                (Change::Length(bytes), Left::All) => self.kept.resize(bytes, 0),
                (Change::Write(at, bytes), Left::All) => self.put(at, &bytes),
                (Change::Write(at, bytes), Left::Some) => self.part(at, &bytes, dice),
            }
        }
    }

    /// Some of a write.
    fn part(&mut self, at: usize, bytes: &[u8], dice: &mut Dice) {
        let part = dice.below(bytes.len() as u64 + 1) as usize;
        match dice.below(6) {
            0 => {}
            1 => self.put(at, bytes),
            2 => self.put(at, &bytes[..part]),
            3 => self.put(at, &vec![0; part]),
            4 => self.put(at, &vec![0; bytes.len()]),
            _ => {
                // Sectors of the file, each written or not; the length as if all were.
                self.kept.resize(self.kept.len().max(at + bytes.len()), 0);
                let mut from = 0;
                while from < bytes.len() {
                    let to = ((at + from) / SECTOR * SECTOR + SECTOR - at).min(bytes.len());
                    if dice.below(2) == 0 {
                        self.put(at + from, &bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.kept.resize(self.kept.len().max(at + bytes.len()), 0);
        self.kept[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

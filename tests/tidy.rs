//! The house style, held by a test: lengths, heads, names and crate arrows.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines a file may have without its tests.
const FILE_LINES: usize = 500;
/// Lines the median file may have.
const MEDIAN_LINES: usize = 150;
/// Lines a function may have.
const FUNCTION_LINES: usize = 70;
/// Names that say nothing of what is inside.
const BANNED: [&str; 4] = ["util", "helpers", "common", "manager"];

/// Which workspace crates each may use (design, section 3).
const ARROWS: [(&str, &[&str]); 9] = [
    ("schemas", &[]),
    ("access", &[]),
    ("store", &["schemas"]),
    ("ingest", &["schemas", "access", "store"]),
    ("query/engine", &["schemas", "store"]),
    ("query/sql", &["schemas", "engine"]),
    ("query/serve", &["schemas", "access", "engine"]),
    ("dashboards", &["schemas"]),
    (".", &["schemas", "access", "store", "ingest", "engine", "sql", "serve", "dashboards"]),
];

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut faults = Vec::new();
    let mut lengths = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("source file");
        if !text.starts_with("//!") {
            faults.push(format!("{}: begin the file with a //! line that says what it is", path.display()));
        }
        if is_test(&path) {
            continue;
        }
        let lines = code(&text).lines().count();
        if lines > FILE_LINES {
            faults.push(format!("{}: {lines} lines without tests, {FILE_LINES} at most", path.display()));
        }
        lengths.push(lines);
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(median <= MEDIAN_LINES, "the median file has {median} lines, {MEDIAN_LINES} at most");
}

#[test]
fn functions_are_short() {
    let mut faults = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("source file");
        for (line, name, length) in functions(&text) {
            if length > FUNCTION_LINES {
                faults.push(format!("{}:{line}: {name} has {length} lines, {FUNCTION_LINES} at most", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_name_is_a_junk_drawer() {
    let mut faults = Vec::new();
    for path in sources() {
        for part in path.strip_prefix(root()).unwrap_or(&path).components() {
            let name = part.as_os_str().to_string_lossy();
            if BANNED.contains(&name.trim_end_matches(".rs")) {
                faults.push(format!("{}: name it after what is in it", path.display()));
            }
        }
        let text = fs::read_to_string(&path).expect("source file");
        for (number, line) in text.lines().enumerate() {
            let word = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            for lead in ["struct ", "enum ", "trait "] {
                let Some(rest) = word.strip_prefix(lead) else { continue };
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                if ["Impl", "Args", "Manager", "Helper"].iter().any(|end| name.ends_with(end)) {
                    faults.push(format!("{}:{}: {name}: name the thing itself", path.display(), number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn crates_point_one_way() {
    let crates = ["schemas", "access", "store", "ingest", "engine", "sql", "serve", "dashboards", "lamppost"];
    let mut faults = Vec::new();
    for (folder, allowed) in ARROWS {
        let path = root().join(folder).join("Cargo.toml");
        let manifest: toml::Table = toml::from_str(&fs::read_to_string(&path).expect("manifest")).expect("TOML");
        let used = manifest.get("dependencies").and_then(|d| d.as_table()).expect("dependencies");
        for name in used.keys().filter(|name| crates.contains(&name.as_str())) {
            if !allowed.contains(&name.as_str()) {
                faults.push(format!("{folder} uses {name}; it may use {allowed:?} only"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_map_is_short() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md").lines().count();
    assert!(lines < 150, "ARCHITECTURE.md has {lines} lines; it is a map, under 150");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files of the workspace, tests included.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["schemas", "access", "store", "ingest", "query", "dashboards", "src", "tests", "benches"] {
        walk(&root().join(folder), &mut found);
    }
    found.sort();
    assert!(found.len() > 20, "the walk found only {} files", found.len());
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Whether a file holds tests only.
fn is_test(path: &Path) -> bool {
    let relative = path.strip_prefix(root()).unwrap_or(path);
    relative.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests" || name == "benches" || name == "tests.rs" || name.ends_with("_tests.rs")
    })
}

/// The text before its unit tests.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// Functions as (line, name, lines), by the indentation that rustfmt gives them.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(name) = function_name(line.trim_start()) else { continue };
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|l| **l == close) {
            found.push((start + 1, name, length + 1));
        }
    }
    found
}

/// The name of the function whose body begins on or after this line; nothing for one-line functions and declarations.
fn function_name(line: &str) -> Option<String> {
    let mut words = line;
    for lead in ["pub(crate) ", "pub(super) ", "pub ", "async ", "const ", "unsafe "] {
        words = words.strip_prefix(lead).unwrap_or(words);
    }
    let rest = words.strip_prefix("fn ")?;
    let whole = line.ends_with(';') || line.ends_with('}');
    (!whole).then(|| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

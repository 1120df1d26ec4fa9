//! Contracts from disk, or the shipped five from the binary. Reading is done here; what they mean is `schemas`' business.

use schemas::contract::{Text, parse, registry_file};
use schemas::{Dataset, Fault, Faults};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The contracts every copy of Lamppost carries: file name and text.
pub const SHIPPED: [(&str, &str); 5] = [
    ("air_quality.toml", include_str!("../schemas/datasets/air_quality.toml")),
    ("noise.toml", include_str!("../schemas/datasets/noise.toml")),
    ("parking.toml", include_str!("../schemas/datasets/parking.toml")),
    ("traffic.toml", include_str!("../schemas/datasets/traffic.toml")),
    ("weather.toml", include_str!("../schemas/datasets/weather.toml")),
];

/// Reads every `*.toml` of a folder, with the registry files they name. All faults of all files come at once.
pub fn read(folder: &Path) -> Result<Vec<Arc<Dataset>>, Faults> {
    let files = list(folder)?;
    let mut texts = Vec::with_capacity(files.len());
    let mut faults = Vec::new();
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(toml) => texts.push(text(file, toml)),
            Err(e) => faults.push(Fault {
                file,
                line: 0,
                wrong: format!("cannot be read: {e}"),
                remedy: "make it a readable UTF-8 file".into(),
            }),
        }
    }
    match parse(&texts) {
        Ok(datasets) if faults.is_empty() => Ok(datasets),
        Ok(_) => Err(Faults(faults)),
        Err(Faults(more)) => {
            faults.extend(more);
            faults.sort();
            Err(Faults(faults))
        }
    }
}

/// The shipped contracts as datasets. `registry` gives the text of a dataset's registry file.
pub fn shipped(registry: impl Fn(&str) -> String) -> Result<Vec<Arc<Dataset>>, Faults> {
    let texts: Vec<Text> = SHIPPED
        .iter()
        .map(|(file, toml)| {
            let text = || Ok(registry(file.trim_end_matches(".toml")));
            let registry = registry_file(toml).map(|name| (PathBuf::from(name), text()));
            Text { file: PathBuf::from(file), toml: (*toml).to_owned(), registry }
        })
        .collect();
    parse(&texts)
}

/// The contract files of a folder, by name.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Faults> {
    let fault = |wrong: String| {
        Faults(vec![Fault {
            file: folder.to_owned(),
            line: 0,
            wrong,
            remedy: "let `contracts` name a folder with one .toml file per dataset".into(),
        }])
    };
    let entries = std::fs::read_dir(folder).map_err(|e| fault(format!("cannot be read: {e}")))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml") && path.is_file())
        .collect();
    if files.is_empty() {
        return Err(fault("holds no contract".into()));
    }
    files.sort();
    Ok(files)
}

/// A contract's text with its registry file beside it.
fn text(file: PathBuf, toml: String) -> Text {
    let registry = registry_file(&toml).map(|name| {
        let path = file.parent().unwrap_or(Path::new("")).join(name);
        let read = std::fs::read_to_string(&path).map_err(|e| e.to_string());
        (path, read)
    });
    Text { file, toml, registry }
}

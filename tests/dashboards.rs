//! The Grafana dashboards against a running town: each call of each panel and variable is filled in as Grafana does it,
//! fetched as Infinity does it, and held against what its panel needs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where it stands")]

mod frame;
mod infinity;
mod screen;
mod shape;

use crate::cli::program::{Server, lamppost};
use frame::Frame;
use screen::Screen;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// How the checked-in files are written.
const RENEW: &str = "cargo run --release -- dashboards --out dashboards/grafana";

#[test]
fn the_checked_in_dashboards_are_up_to_date() {
    let fresh = tempfile::tempdir().unwrap();
    let ended = lamppost(["dashboards", "--out", fresh.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/grafana");
    assert_eq!(files(fresh.path()), files(&kept), "the names of the files changed: {RENEW}");
    for file in files(fresh.path()) {
        let read = |folder: &Path| std::fs::read_to_string(folder.join(&file)).unwrap();
        assert!(read(fresh.path()) == read(&kept), "{} is stale: {RENEW}", file.display());
    }
}

/// Files below a folder, by their path in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inside) = open.pop() {
        for entry in std::fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path.strip_prefix(folder).unwrap().to_owned()) }
        }
    }
    found.sort();
    found
}

#[test]
fn every_panel_finds_what_it_needs_in_a_running_town() {
    let mut town = Server::start(["demo", "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]);
    let host = town.http();
    town.told("The past is filled in");
    for dashboard in dashboards() {
        look(&host, &dashboard);
    }
    town.stop();
}

/// The checked-in dashboards.
fn dashboards() -> Vec<Value> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/grafana");
    let json = files(&kept).into_iter().filter(|file| file.extension().is_some_and(|end| end == "json"));
    json.map(|file| serde_json::from_str(&std::fs::read_to_string(kept.join(file)).unwrap()).unwrap()).collect()
}

/// Looks at a dashboard as it opens, over longer times, and with choices made.
fn look(host: &str, dashboard: &Value) {
    let day = Screen::new(dashboard, 24);
    let (choices, by) = choices(host, dashboard, &day);
    for panel in panels(dashboard) {
        shape::check(panel, &day, &frames(host, panel, &day), true);
    }
    let mut others = vec![Screen::new(dashboard, 7 * 24), Screen::new(dashboard, 400 * 24)];
    // Each by itself: a sensor of one street need not be on the first floor.
    others.extend(choices.into_iter().map(|choice| day.clone().choose(&[choice])));
    for screen in others {
        for panel in panels(dashboard) {
            shape::check(panel, &screen, &frames(host, panel, &screen), false);
        }
    }
    let compares = |panel: &&Value| panel["targets"].to_string().contains("${by}");
    for attribute in by {
        let screen = day.clone().choose(&[("by".to_owned(), vec![attribute])]);
        for panel in panels(dashboard).filter(compares) {
            shape::check(panel, &screen, &frames(host, panel, &screen), false);
        }
    }
}

/// What the variables offer: the first value of each, the first two where there may be several, and all that can be compared.
fn choices(host: &str, dashboard: &Value, screen: &Screen) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let (mut choices, mut by) = (Vec::new(), Vec::new());
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        if variable["type"] == "custom" {
            let options = variable["options"].as_array().unwrap().iter();
            by = options.map(|option| option["value"].as_str().unwrap().to_owned()).collect();
            continue;
        }
        let offered = infinity::fetch(host, &variable["query"]["infinityQuery"], screen);
        let values = offered.texts();
        assert!(values.len() > 1, "{name} offers {values:?}");
        let few = if variable["multi"] == true { 2 } else { 1 };
        choices.push((name.to_owned(), values.into_iter().take(few).collect()));
    }
    (choices, by)
}

/// Panels that ask something, those in closed rows too.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let top = dashboard["panels"].as_array().unwrap().iter();
    top.flat_map(|panel| match panel["panels"].as_array() {
        Some(inside) => inside.iter().collect::<Vec<_>>(),
        None => vec![panel],
    })
}

/// What the calls of a panel bring.
fn frames(host: &str, panel: &Value, screen: &Screen) -> Vec<Frame> {
    panel["targets"].as_array().unwrap().iter().map(|target| infinity::fetch(host, target, screen)).collect()
}

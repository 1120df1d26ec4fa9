//! Grafana from contracts: datasets in, provisioning and dashboards out, as text.
//!
//! Pure: no files, no sockets, no clock. The panels read the public REST API through the Infinity data source; nothing in
//! them knows where Lamppost listens, only the provisioned data source does. What Grafana and Infinity make of a panel is
//! held by `tests/dashboards.rs` of the workspace, against a running town.

mod attribute;
mod board;
mod dataset;
mod geomap;
mod language;
mod overview;
mod panel;
mod provisioning;
mod query;
mod unit;
mod variable;

pub use language::Language;

use schemas::Dataset;
use std::sync::Arc;

/// Points a series has for each of the 24 columns of the grid that its panel spans: 1200 in the widest panel.
///
/// Grafana tells a data source its panel's width in pixels, but has no variable for it; the grid's width stands for it, so
/// screens of all sizes ask the same question and share its cached answer.
pub const POINTS_PER_COLUMN: u32 = 50;

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the output folder, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// What is written besides what the contracts say.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where Grafana reaches Lamppost: `http://lamppost:8080`.
    pub url: String,
    /// Whether Grafana sends the key in its environment variable `LAMPPOST_KEY`.
    pub with_key: bool,
    /// Which of a contract's titles are shown.
    pub language: Language,
}

/// The data source, the provider of dashboards, an overview of all datasets and a dashboard for each.
pub fn files(datasets: &[Arc<Dataset>], options: &Options) -> Vec<File> {
    let dashboard =
        |board: board::Board| File { path: format!("{}/{}.json", provisioning::FOLDER, board.uid), text: board.text() };
    let mut files = provisioning::files(options);
    files.push(dashboard(overview::board(datasets, &options.language)));
    files.extend(datasets.iter().map(|dataset| dashboard(dataset::board(dataset, &options.language))));
    files
}

#[cfg(test)]
mod tests;

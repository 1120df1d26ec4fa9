//! A dashboard: its head, its variables, and its panels on a grid of 24 columns.

use crate::panel::Panel;
use serde_json::{Value, json};

/// Columns of the grid.
const COLUMNS: u32 = 24;
/// Grafana's classic model of dashboards; newer servers read it as well.
const SCHEMA: u32 = 42;

/// A dashboard.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    /// Its id in addresses: letters, digits, `-`, `_`; 40 at most.
    pub(crate) uid: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) variables: Vec<Value>,
    /// Left to right, line by line.
    pub(crate) panels: Vec<Panel>,
    /// A row that is closed at first, so that its panels ask nothing until it is opened.
    pub(crate) closed: Option<(String, Vec<Panel>)>,
}

impl Board {
    /// The dashboard as a file.
    pub(crate) fn text(&self) -> String {
        // Plain JSON in memory: writing it cannot fail.
        let mut text = serde_json::to_string_pretty(&self.json()).unwrap_or_default();
        text.push('\n');
        text
    }

    fn json(&self) -> Value {
        let mut grid = Grid { id: 0, x: 0, y: 0, line: 0 };
        let mut panels: Vec<Value> = self.panels.iter().map(|panel| grid.place(panel)).collect();
        if let Some((title, inside)) = &self.closed {
            let (id, y) = grid.row();
            let inside: Vec<Value> = inside.iter().map(|panel| grid.place(panel)).collect();
            panels.push(json!({
                "id": id,
                "type": "row",
                "title": title,
                "collapsed": true,
                "gridPos": { "h": 1, "w": COLUMNS, "x": 0, "y": y },
                "panels": inside,
            }));
        }
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["lamppost"],
            "schemaVersion": SCHEMA,
            "editable": true,
            "timezone": "browser",
            "time": { "from": "now-24h", "to": "now" },
            "refresh": "1m",
            // One crosshair in all charts.
            "graphTooltip": 1,
            "annotations": { "list": [] },
            "links": [{
                "type": "dashboards",
                "tags": ["lamppost"],
                "title": "Lamppost",
                "asDropdown": true,
                "keepTime": true,
                "includeVars": false,
                "targetBlank": false,
                "icon": "external link",
                "tooltip": "",
                "url": "",
            }],
            "templating": { "list": self.variables },
            "panels": panels,
        })
    }
}

/// Where the next panel goes.
struct Grid {
    id: u32,
    x: u32,
    y: u32,
    /// Height of the line begun.
    line: u32,
}

impl Grid {
    fn place(&mut self, panel: &Panel) -> Value {
        if self.x + panel.width > COLUMNS {
            self.end_line();
        }
        self.id += 1;
        let placed = panel.json(self.id, self.x, self.y);
        self.x += panel.width;
        self.line = self.line.max(panel.height);
        placed
    }

    /// Id and line of a row.
    fn row(&mut self) -> (u32, u32) {
        self.end_line();
        self.id += 1;
        self.y += 1;
        (self.id, self.y - 1)
    }

    fn end_line(&mut self) {
        self.y += self.line;
        (self.x, self.line) = (0, 0);
    }
}

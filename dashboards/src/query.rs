//! One call of a panel to the REST API, as a query of the Infinity data source.

use crate::provisioning::{PLUGIN, SOURCE};
use serde_json::{Value, json};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Text,
    Number,
    Time,
}

/// One call. Columns keep the names they have in the API: Infinity versions differ in what they do with other names.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// Its name among the calls of its panel.
    pub(crate) name: String,
    /// Path of the API.
    pub(crate) path: String,
    /// Parameters, in their order; variables of Grafana in the values.
    pub(crate) parameters: Vec<(String, String)>,
    /// Where the rows are in the answer.
    pub(crate) root: String,
    /// The columns to take.
    pub(crate) columns: Vec<(String, Cell)>,
    /// Rows are kept where these columns have a value, or have none.
    pub(crate) kept: Vec<(String, bool)>,
    /// Whether rows are one series for each text instead of a table.
    pub(crate) series: bool,
    /// One more column: its name, and the expression that makes it from the others.
    pub(crate) computed: Option<(String, String)>,
}

impl Query {
    /// A call for a table of rows.
    pub(crate) fn new(path: impl Into<String>) -> Query {
        Query {
            name: "A".to_owned(),
            path: path.into(),
            parameters: Vec::new(),
            root: "data".to_owned(),
            columns: Vec::new(),
            kept: Vec::new(),
            series: false,
            computed: None,
        }
    }

    /// With one more parameter.
    pub(crate) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Query {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// With all of these.
    pub(crate) fn with_all(mut self, parameters: &[(String, String)]) -> Query {
        self.parameters.extend_from_slice(parameters);
        self
    }

    /// Over the time the dashboard shows. Infinity's server fills it in, so alerts may take the query over as it is.
    pub(crate) fn in_time(self) -> Query {
        self.with("from", "${__timeFrom:date:iso}").with("to", "${__timeTo:date:iso}")
    }

    /// With one more column.
    pub(crate) fn column(mut self, name: impl Into<String>, cell: Cell) -> Query {
        self.columns.push((name.into(), cell));
        self
    }

    /// With columns of numbers.
    pub(crate) fn numbers(self, names: &[String]) -> Query {
        names.iter().fold(self, |query, name| query.column(selector(name), Cell::Number))
    }

    /// Only rows where a column has a value.
    pub(crate) fn where_present(mut self, column: impl Into<String>) -> Query {
        self.kept.push((column.into(), true));
        self
    }

    /// Only rows where a column has none.
    pub(crate) fn where_absent(mut self, column: impl Into<String>) -> Query {
        self.kept.push((column.into(), false));
        self
    }

    /// With a column of the same text in each row. An apostrophe would end the expression's text.
    pub(crate) fn marked(self, name: &str, text: &str) -> Query {
        self.computed(name, format!("'{}'", text.replace(['\'', '\\'], "’")))
    }

    /// With a column made from the others.
    pub(crate) fn computed(self, name: &str, expression: impl Into<String>) -> Query {
        Query { computed: Some((name.to_owned(), expression.into())), ..self }
    }

    /// As a query of the plugin, without what only a panel's has.
    pub(crate) fn infinity(&self) -> Value {
        let pair = |(key, value): &(String, String)| json!({ "key": key, "value": value });
        let column = |(name, cell): &(String, Cell)| json!({ "selector": name, "text": "", "type": cell.kind() });
        let mut query = json!({
            "refId": self.name,
            "type": "json",
            "source": "url",
            "parser": "backend",
            "format": if self.series { "timeseries" } else { "table" },
            "url": self.path,
            "url_options": {
                "method": "GET",
                "data": "",
                "params": self.parameters.iter().map(pair).collect::<Vec<_>>(),
            },
            "root_selector": self.root,
            "columns": self.columns.iter().map(column).collect::<Vec<_>>(),
            "filters": [],
        });
        let kept = self.kept.iter().map(|(column, has)| format!("[{column}] {} null", if *has { "!=" } else { "==" }));
        let kept: Vec<String> = kept.collect();
        if !kept.is_empty() {
            query["filterExpression"] = json!(kept.join(" && "));
        }
        if let Some((name, expression)) = &self.computed {
            query["computed_columns"] = json!([{ "selector": expression, "text": name, "type": "string" }]);
        }
        query
    }

    /// As a target of a panel.
    pub(crate) fn target(&self) -> Value {
        let mut target = self.infinity();
        target["datasource"] = source();
        target
    }
}

impl Cell {
    fn kind(self) -> &'static str {
        match self {
            Cell::Text => "string",
            Cell::Number => "number",
            Cell::Time => "timestamp",
        }
    }
}

/// The data source as panels and variables name it.
pub(crate) fn source() -> Value {
    json!({ "type": PLUGIN, "uid": SOURCE })
}

/// A key of a row as a path to it: the signs that have a meaning in paths (gjson) are escaped.
pub(crate) fn selector(key: &str) -> String {
    let mut path = String::with_capacity(key.len());
    for letter in key.chars() {
        if r".*?|#@!{}[]()=<>%\,:".contains(letter) {
            path.push('\\');
        }
        path.push(letter);
    }
    path
}

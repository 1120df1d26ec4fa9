//! A table of results: rows that were measured several times, medians in its cells.

use super::print::say;

/// A column: what stands above it, and digits after the point.
pub(crate) type Column = (&'static str, usize);

/// Rows in the order in which they first came.
pub(crate) struct Table {
    title: String,
    columns: Vec<Column>,
    rows: Vec<(String, Vec<Vec<f64>>)>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(title: impl Into<String>, columns: &[Column]) -> Table {
        Table { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds what one run of a row gave: a figure per column.
    pub(crate) fn add(&mut self, row: &str, figures: Vec<f64>) {
        assert_eq!(figures.len(), self.columns.len(), "figures of {row}");
        match self.rows.iter_mut().find(|(name, _)| name == row) {
            Some((_, runs)) => runs.push(figures),
            None => self.rows.push((row.to_owned(), vec![figures])),
        }
    }

    /// A row's figures of one column, run by run.
    pub(crate) fn column(&self, row: &str, column: &str) -> Vec<f64> {
        let at = self.columns.iter().position(|(name, _)| *name == column).expect("a column of this table");
        let runs = self.rows.iter().filter(|(name, _)| name == row).flat_map(|(_, runs)| runs);
        runs.map(|run| run[at]).collect()
    }

    /// Prints it. The first column is the rate; its least and greatest stand behind it when there were several runs.
    pub(crate) fn print(&self) {
        let mut lines = vec![vec![self.title.clone()]];
        for (at, (name, _)) in self.columns.iter().enumerate() {
            lines[0].push((*name).to_owned());
            if at == 0 && self.is_repeated() {
                lines[0].extend(["low".to_owned(), "high".to_owned()]);
            }
        }
        for (name, runs) in &self.rows {
            let mut line = vec![name.clone()];
            for (at, (_, digits)) in self.columns.iter().enumerate() {
                let mut figures: Vec<f64> = runs.iter().map(|run| run[at]).collect();
                line.push(format!("{:.digits$}", median(&mut figures)));
                if at == 0 && self.is_repeated() {
                    let (low, high) = (quantile(&mut figures, 0.0), quantile(&mut figures, 1.0));
                    line.extend([format!("{low:.digits$}"), format!("{high:.digits$}")]);
                }
            }
            lines.push(line);
        }
        print(&lines);
    }

    fn is_repeated(&self) -> bool {
        self.rows.iter().any(|(_, runs)| runs.len() > 1)
    }
}

/// Prints lines of cells below each other: the first to the left, the others to the right.
pub(crate) fn print(lines: &[Vec<String>]) {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |line: &Vec<String>, at| line.get(at).map_or(0, |cell: &String| cell.chars().count());
    let widths: Vec<usize> =
        (0..columns).map(|at| lines.iter().map(|line| wide(line, at)).max().unwrap_or(0)).collect();
    say("");
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, &width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        say(cells.collect::<String>().trim_end());
    }
}

/// The middle figure; of an even number the lower of the two in the middle, which was measured.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure below or at which a part of all lies (nearest rank).
pub(crate) fn quantile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let rank = (part * figures.len() as f64).ceil() as usize;
    figures.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

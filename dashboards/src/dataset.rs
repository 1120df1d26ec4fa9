//! The dashboard of one dataset: figures, a map, a list, a chart for each field, and the newest readings.

mod chart;
mod figures;
mod list;
mod map;
mod measure;
mod newest;

use crate::attribute::{self, Attribute};
use crate::board::Board;
use crate::language::{self, Language};
use crate::panel::{Panel, buckets};
use crate::query::Query;
use crate::variable;
use measure::Measure;
use schemas::Dataset;

/// A dataset as its panels see it.
pub(crate) struct Scene<'a> {
    dataset: &'a Dataset,
    title: String,
    attributes: Vec<Attribute>,
    measures: Vec<Measure>,
    /// Parameters that keep a call to what the dashboard's variables choose.
    selection: Vec<(String, String)>,
}

/// The dashboard of a dataset.
pub(crate) fn board(dataset: &Dataset, language: &Language) -> Board {
    let attributes = attribute::of(dataset);
    let scene = Scene {
        dataset,
        title: language.of(&dataset.title, &dataset.id),
        measures: dataset.fields.iter().zip(0..).map(|(field, place)| Measure::of(field, place, language)).collect(),
        selection: variable::selection(&attributes),
        attributes,
    };
    let mut panels: Vec<Panel> = figures::all(&scene);
    panels.push(map::panel(&scene));
    panels.push(list::panel(&scene));
    panels.extend(scene.measures.iter().map(|measure| chart::over_time(&scene, measure)));
    panels.push(newest::panel(&scene));
    let compared = scene.measures.iter().map(|measure| chart::compared(&scene, measure)).collect();
    Board {
        uid: uid(dataset),
        title: scene.title.clone(),
        about: language.of(&dataset.description, ""),
        variables: variable::all(dataset, &scene.attributes),
        panels,
        closed: Some(("Compare by ${by:text}".to_owned(), compared)),
    }
}

/// The id of a dataset's dashboard. Ids of datasets have 40 letters at most, like uids: a long one stands alone.
pub(crate) fn uid(dataset: &Dataset) -> String {
    let uid = format!("lamppost-{}", dataset.id);
    if uid.len() <= 40 { uid } else { dataset.id.to_string() }
}

impl Scene<'_> {
    /// A call for aggregates of columns over the time shown, cut to a panel of so many columns.
    fn aggregates(&self, columns: &[String], group: &str, width: u32) -> Query {
        Query::new(format!("/api/v1/datasets/{}/aggregates", self.dataset.id))
            .with("fields", columns.join(","))
            .with("group", group)
            .with_all(&buckets(width))
            .in_time()
            .with_all(&self.selection)
    }

    /// A call for the newest values of fields.
    fn latest<'a>(&self, fields: impl Iterator<Item = &'a Measure>) -> Query {
        let names: Vec<&str> = fields.map(|measure| measure.name.as_str()).collect();
        Query::new(format!("/api/v1/datasets/{}/latest", self.dataset.id))
            .with("fields", names.join(","))
            .with_all(&self.selection)
    }

    /// What the dashboard shows first: states and the air of rooms are asked for by name, else the first field.
    fn first(&self) -> Option<&Measure> {
        let measures = || self.measures.iter();
        let state = measures().find(|measure| measure.is_state());
        state.or_else(|| measures().find(|measure| measure.is_co2())).or_else(|| measures().next())
    }

    /// Path and title of what a sensor is called by in lists.
    fn callers(&self) -> Vec<(String, String)> {
        let named: Vec<&Attribute> = self.attributes.iter().filter(|attribute| attribute.is_name()).collect();
        let shared = self.attributes.iter().filter(|attribute| attribute.shared);
        let mut callers = vec![("sensor".to_owned(), "Sensor".to_owned())];
        callers.extend(named.into_iter().chain(shared).map(caller));
        callers
    }
}

/// Path and title of an attribute's column.
fn caller(attribute: &Attribute) -> (String, String) {
    (format!("attributes.{}", attribute.name), language::plain(&attribute.name))
}

//! Fetching the columns of a span.

use super::series::{self, Series};
use super::{Snapshot, erased};
use crate::file::FileMeta;
use crate::run::cut::Cut;
use crate::run::overlay::View;
use crate::run::segment::runs;
use crate::{Error, Rollup, Run, SensorIx, SensorTable, Tier};
use futures::{StreamExt, TryStreamExt};
use schemas::Span;
use std::sync::Arc;

/// Files fetched and decoded side by side.
const AT_ONCE: usize = 8;

/// What [`Snapshot::load`] fetched: columns of every layer (files < late < sealed < hot) that may hold rows of the span.
#[derive(Clone, Debug)]
pub struct Loaded {
    span: Span,
    fields: Vec<usize>,
    /// In ascending precedence.
    layers: Vec<Run>,
    /// Erasures among them, each with the number of layers it holds for.
    cuts: Vec<(usize, Cut)>,
    /// Sensors that may have rows, ascending.
    sensors: Vec<SensorIx>,
    /// For each of them the entry of `at` after its last.
    ends: Vec<usize>,
    /// (layer, place among the layer's sensors), layers ascending within a sensor.
    at: Vec<(u32, u32)>,
}

pub(super) async fn load(
    snapshot: &Snapshot,
    span: Span,
    sensors: Option<&[SensorIx]>,
    fields: &[usize],
) -> Result<Loaded, Error> {
    let wanted = sensors.map(|numbers| ids(&snapshot.sensors, numbers));
    let files = snapshot.shelf.over(span).filter(|meta| wanted.as_ref().is_none_or(|ids| holds_any(meta, ids)));
    let files: Vec<FileMeta> = files.cloned().collect();
    let cuts = erased::cuts(snapshot, span, sensors, &files);
    // Where values alone are erased, whether a row stays depends on all its fields.
    let wanted = match cuts.iter().any(|(_, cut)| !cut.fields.is_empty()) {
        true => (0..snapshot.dataset.fields.len()).collect(),
        false => fields.to_vec(),
    };
    let number = snapshot.numbering();
    let filed = futures::stream::iter(files).map(|meta| {
        let (cache, dataset, number, wanted) =
            (snapshot.cache.clone(), snapshot.dataset.clone(), number.clone(), wanted.clone());
        async move { cache.load(&dataset, &meta, &wanted, sensors, &number).await }
    });
    let mut layers: Vec<Run> = filed.buffered(AT_ONCE).try_collect().await?;
    if !span.is_empty() {
        layers.extend(runs(&snapshot.memory).await?);
    }
    Ok(Loaded { cuts, ..Loaded::new(span, fields.to_vec(), layers, sensors, snapshot.sensors.ids.len()) })
}

pub(super) async fn load_tier(
    snapshot: &Snapshot,
    tier: Tier,
    span: Span,
    sensors: Option<&[SensorIx]>,
    columns: &[usize],
) -> Result<Vec<Rollup>, Error> {
    let wanted = sensors.map(|numbers| ids(&snapshot.sensors, numbers));
    let files = snapshot.shelf.tier(tier).over(span);
    let files = files.filter(|meta| wanted.as_ref().is_none_or(|ids| holds_any(meta, ids)));
    let number = snapshot.numbering();
    let rollups = futures::stream::iter(files.cloned().collect::<Vec<_>>()).map(|meta| {
        let (cache, dataset, number, columns) =
            (snapshot.cache.clone(), snapshot.dataset.clone(), number.clone(), columns.to_vec());
        async move { cache.load_tier(&dataset, tier, &meta, &columns, sensors, &number).await }
    });
    rollups.buffered(AT_ONCE).try_collect().await
}

/// Ids of sensors, sorted by bytes.
pub(super) fn ids(table: &SensorTable, numbers: &[SensorIx]) -> Vec<Arc<str>> {
    let mut ids: Vec<Arc<str>> = numbers.iter().filter_map(|&n| table.ids.get(n as usize).cloned()).collect();
    ids.sort_unstable();
    ids
}

/// Whether a file may hold rows of one of the sensors, by its least and greatest.
pub(super) fn holds_any(meta: &FileMeta, ids: &[Arc<str>]) -> bool {
    let from = ids.partition_point(|id| **id < *meta.min_sensor);
    ids.get(from).is_some_and(|id| **id <= *meta.max_sensor)
}

impl Loaded {
    fn new(span: Span, fields: Vec<usize>, layers: Vec<Run>, only: Option<&[SensorIx]>, known: usize) -> Loaded {
        let wanted = only.map(|only| {
            let mut wanted: Vec<SensorIx> = only.iter().copied().filter(|&s| (s as usize) < known).collect();
            wanted.sort_unstable();
            wanted.dedup();
            wanted
        });
        let places = |run: &Run| -> Vec<(usize, u32)> {
            let own = &run.keys.sensors;
            match &wanted {
                None => own.iter().zip(0..).map(|(&s, i)| (s as usize, i)).collect(),
                Some(wanted) => {
                    let place = |s: &SensorIx| own.binary_search(s).ok().map(|i| (*s as usize, i as u32));
                    wanted.iter().filter_map(place).collect()
                }
            }
        };
        let places: Vec<Vec<(usize, u32)>> = layers.iter().map(places).collect();
        let mut count = vec![0_usize; known];
        places.iter().flatten().for_each(|(s, _)| count[*s] += 1);
        let mut next = vec![0; known];
        let mut total = 0;
        for (next, count) in next.iter_mut().zip(&count) {
            *next = total;
            total += count;
        }
        let mut at = vec![(0, 0); total];
        for (layer, places) in places.iter().enumerate() {
            for &(sensor, i) in places {
                at[next[sensor]] = (layer as u32, i);
                next[sensor] += 1;
            }
        }
        let sensors: Vec<SensorIx> = (0..known as u32).filter(|&s| count[s as usize] > 0).collect();
        let ends = sensors.iter().map(|&s| next[s as usize]).collect();
        Loaded { span, fields, layers, cuts: Vec::new(), sensors, ends, at }
    }

    /// Sensors that may have rows, ascending.
    pub fn sensors(&self) -> Vec<SensorIx> {
        self.sensors.clone()
    }

    /// Calls `visit` once with the merged rows of one sensor within the span; not at all when it has none.
    /// A row whose asked-for fields are all absent is visited too: it is a reading.
    pub fn series(&self, sensor: SensorIx, visit: &mut dyn FnMut(Series<'_>)) {
        let Ok(i) = self.sensors.binary_search(&sensor) else { return };
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        let all: Vec<usize>;
        let erased = self.cuts.iter().any(|(_, cut)| cut.sensor == sensor);
        let fields = if erased {
            all = (0..self.layers.first().map_or(0, |run| run.columns.len())).collect();
            &all
        } else {
            &self.fields
        };
        let view = |&(layer, place): &(u32, u32)| {
            let run = &self.layers[layer as usize];
            let rows = run.keys.rows_at(place as usize);
            let times = &run.keys.time[rows.clone()];
            let from = rows.start + times.partition_point(|&t| t < self.span.from.0);
            let to = rows.start + times.partition_point(|&t| t < self.span.to.0);
            let column = |&field: &usize| run.columns[field].as_ref().map(|c| &c[from..to]);
            (from < to)
                .then(|| (layer, View { time: &run.keys.time[from..to], columns: fields.iter().map(column).collect() }))
        };
        let views = self.at[start..self.ends[i]].iter().filter_map(view);
        if erased {
            let run = erased::merged(sensor, &views.collect::<Vec<_>>(), &self.cuts);
            return series::whole(&run, &self.fields, visit);
        }
        series::merged(&views.map(|(_, view)| view).collect::<Vec<_>>(), visit);
    }
}

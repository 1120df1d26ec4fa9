//! Reading below erasures that are not folded yet (rules 8 and 14).

use super::Snapshot;
use crate::file::FileMeta;
use crate::paths::Layer;
use crate::run::cut::{Cut, merge_cut};
use crate::run::overlay::View;
use crate::{Run, SensorIx};
use schemas::Span;

/// Erasures that concern a question, each with the number of layers it holds for. The layers are `files`, ascending, then what
/// is in memory.
pub(super) fn cuts(
    snapshot: &Snapshot,
    span: Span,
    only: Option<&[SensorIx]>,
    files: &[FileMeta],
) -> Vec<(usize, Cut)> {
    let late = snapshot.shelf.erasing(span).flat_map(|file| {
        let own = (file.meta.name.day, file.meta.name.last);
        let above = |meta: &FileMeta| meta.name.layer == Layer::Late && (meta.name.day, meta.name.last) >= own;
        let place = files.iter().position(above).unwrap_or(files.len());
        file.masks().map(move |cut| (place, cut))
    });
    let memory = snapshot.cuts.iter().map(|(place, cut)| (files.len() + place, cut.clone()));
    let asked = |cut: &Cut| only.is_none_or(|only| only.contains(&cut.sensor)) && cut.within(span).is_some();
    late.chain(memory).filter(|(_, cut)| asked(cut)).collect()
}

/// Rows of one sensor of several layers, merged with what is erased among them. `layers`: number of the layer and its rows;
/// `cuts` by such numbers.
pub(super) fn merged(sensor: SensorIx, layers: &[(u32, View<'_>)], cuts: &[(usize, Cut)]) -> Run {
    let fields = layers.first().map_or(0, |(_, view)| view.columns.len());
    let runs: Vec<Run> = layers.iter().map(|(_, view)| view.run(sensor)).collect();
    let own = cuts.iter().filter(|(_, cut)| cut.sensor == sensor);
    let place = |layers_below: usize| layers.partition_point(|(layer, _)| (*layer as usize) < layers_below);
    let cuts: Vec<(usize, Cut)> = own.map(|(below, cut)| (place(*below), cut.clone())).collect();
    merge_cut(&runs, &cuts, fields)
}

//! Rows of one sensor, merged over all layers.

use crate::Run;
use crate::run::overlay::{Rows, View, overlay_all};
use schemas::ABSENT;

/// Rows of one sensor in a span, merged over all layers: times ascending, no key twice.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Instants in UTC microseconds.
    pub time: &'a [i64],
    /// One slice per field asked for, in the order asked: values or [`schemas::ABSENT`].
    pub columns: &'a [&'a [i64]],
}

/// Shows the overlay of views in ascending precedence, none of them empty.
pub(super) fn merged(views: &[View<'_>], visit: &mut dyn FnMut(Series<'_>)) {
    match views {
        [] => {}
        [one] => show(one, visit),
        _ => show(&join(views).view(), visit),
    }
}

/// Shows the given fields of a run of one sensor, unless it is empty.
pub(super) fn whole(run: &Run, fields: &[usize], visit: &mut dyn FnMut(Series<'_>)) {
    if !run.is_empty() {
        let columns = fields.iter().map(|&field| run.columns[field].as_ref().map(|column| &column[..])).collect();
        show(&View { time: &run.keys.time, columns }, visit);
    }
}

fn show(view: &View<'_>, visit: &mut dyn FnMut(Series<'_>)) {
    let absent = if view.columns.iter().any(Option::is_none) { vec![ABSENT; view.time.len()] } else { Vec::new() };
    let columns: Vec<&[i64]> = view.columns.iter().map(|c| c.unwrap_or(&absent)).collect();
    visit(Series { time: view.time, columns: &columns });
}

/// Views whose times do not meet are joined end to end; only those that overlap are laid over one another.
fn join(views: &[View<'_>]) -> Rows {
    let rows = views.iter().map(|v| v.time.len()).sum();
    let fields = views.first().map_or(0, |v| v.columns.len());
    let mut out = Rows { time: Vec::with_capacity(rows), columns: vec![None; fields] };
    for (field, column) in out.columns.iter_mut().enumerate() {
        *column = views.iter().any(|v| v.columns[field].is_some()).then(|| Vec::with_capacity(rows));
    }
    let mut order: Vec<usize> = (0..views.len()).collect();
    order.sort_unstable_by_key(|&i| (views[i].time[0], i));
    let last = |i: usize| views[i].time[views[i].time.len() - 1];
    let mut from = 0;
    while from < order.len() {
        let mut end = last(order[from]);
        let mut to = from + 1;
        while to < order.len() && views[order[to]].time[0] <= end {
            end = end.max(last(order[to]));
            to += 1;
        }
        match &mut order[from..to] {
            [one] => append(&mut out, &views[*one]),
            cluster => {
                cluster.sort_unstable();
                let layers: Vec<View<'_>> = cluster.iter().map(|&i| views[i].clone()).collect();
                append(&mut out, &overlay_all(&layers).view());
            }
        }
        from = to;
    }
    out
}

fn append(out: &mut Rows, view: &View<'_>) {
    out.time.extend_from_slice(view.time);
    for (to, from) in out.columns.iter_mut().zip(&view.columns) {
        match (to, from) {
            (Some(to), Some(from)) => to.extend_from_slice(from),
            (Some(to), None) => to.resize(to.len() + view.time.len(), ABSENT),
            (None, _) => {}
        }
    }
}

//! The functions that may be called, by name. What is not on these lists is neither known to the guard nor to the planner.
//!
//! Left out on purpose: whatever makes much out of little (`repeat`, `lpad`, `rpad`, `array_repeat`, `range`,
//! `generate_series`, `array_resize`), what answers differently each time (`random`, `uuid`), what tells of the program or
//! its machine (`version`, `input_file_name`, `arrow_typeof`), and `to_char`, whose patterns are not PostgreSQL's.

mod bucket;
mod floor;
mod mean;
mod zone;

pub(crate) use bucket::utc;

use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use std::sync::Arc;

/// Functions of single values.
const SCALAR: [&[&str]; 6] = [
    // arithmetic
    &[
        "abs", "acos", "asin", "atan", "atan2", "cbrt", "ceil", "ceiling", "cos", "cot", "degrees", "exp", "floor",
        "gcd", "lcm", "ln", "log", "log10", "log2", "pi", "pow", "power", "radians", "round", "sign", "sin", "sqrt",
        "tan", "trunc",
    ],
    // nulls and choices
    &["coalesce", "greatest", "least", "nullif"],
    // text whose length is at most that of what goes in, or grows with it by no more than the text of the question
    &[
        "ascii",
        "bit_length",
        "btrim",
        "char_length",
        "character_length",
        "chr",
        "concat",
        "concat_ws",
        "initcap",
        "left",
        "length",
        "lower",
        "ltrim",
        "octet_length",
        "overlay",
        "replace",
        "reverse",
        "right",
        "rtrim",
        "split_part",
        "starts_with",
        "strpos",
        "substr",
        "substring",
        "to_hex",
        "translate",
        "trim",
        "upper",
    ],
    // patterns: the matcher takes time in line with the text, whatever the pattern
    &["regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace"],
    // time
    &[
        "current_date",
        "current_timestamp",
        "date_bin",
        "date_part",
        "date_trunc",
        "make_date",
        "now",
        "time_bucket",
        "timezone",
        "to_timestamp",
    ],
    // what array_agg and regexp_match give
    &["array_length", "array_to_string", "cardinality"],
];
/// Functions of groups of rows.
const AGGREGATE: [&[&str]; 4] = [
    // exact
    &["avg", "bool_and", "bool_or", "count", "grouping", "max", "mean", "min", "sum"],
    // statistics, in floating point
    &[
        "corr",
        "covar_pop",
        "covar_samp",
        "percentile_cont",
        "regr_intercept",
        "regr_r2",
        "regr_slope",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "var_pop",
        "var_samp",
        "variance",
    ],
    // estimates in little memory
    &["approx_distinct", "approx_median", "approx_percentile_cont"],
    // pick or gather; what they hold is counted as the question's memory
    &["any_value", "array_agg", "first_value", "last_value", "nth_value", "string_agg"],
];
/// Functions of rows around a row.
const WINDOW: [&[&str]; 1] = [&[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
]];
/// PostgreSQL's names for functions that DataFusion has under others.
const ALIASES: [(&str, &str); 3] = [("ceil", "ceiling"), ("signum", "sign"), ("var", "variance")];

/// Every name that may be called.
pub(crate) fn allowed() -> impl Iterator<Item = &'static str> {
    SCALAR.iter().chain(&AGGREGATE).chain(&WINDOW).flat_map(|group| group.iter().copied())
}

/// Whether a function of that name may be called.
pub(crate) fn is_allowed(name: &str) -> bool {
    allowed().any(|allowed| allowed == name)
}

/// The functions of single values.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let ours = [bucket::date_trunc(), bucket::time_bucket(), zone::timezone()].map(Arc::new);
    let theirs = SessionStateDefaults::default_scalar_functions().into_iter();
    let kept = theirs.filter_map(|function| match alias(function.name()) {
        Some(name) => Some(Arc::new(function.as_ref().clone().with_aliases([name]))),
        None => is_kept(function.name(), function.aliases()).then_some(function),
    });
    kept.chain(ours).collect()
}

/// The functions of groups of rows.
pub(crate) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    let theirs = SessionStateDefaults::default_aggregate_functions().into_iter();
    let kept = theirs.filter_map(|function| match alias(function.name()) {
        Some(name) => Some(Arc::new(function.as_ref().clone().with_aliases([name]))),
        None => is_kept(function.name(), function.aliases()).then_some(function),
    });
    kept.chain([Arc::new(mean::avg())]).collect()
}

/// The functions of rows around a row.
pub(crate) fn window() -> Vec<Arc<WindowUDF>> {
    let theirs = SessionStateDefaults::default_window_functions().into_iter();
    theirs.filter(|function| is_kept(function.name(), function.aliases())).collect()
}

fn alias(name: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}

fn is_kept(name: &str, aliases: &[String]) -> bool {
    is_allowed(name) || aliases.iter().any(|alias| is_allowed(alias))
}

//! Each function that may be called, called.

use super::town::Town;
use crate::functions;
use std::collections::BTreeSet;

/// A call of each function, on the rows of `air`.
const CALLS: &[&str] = &[
    "abs(co2)",
    "acos(0.5)",
    "asin(0.5)",
    "atan(co2)",
    "atan2(co2, 2)",
    "cbrt(co2)",
    "ceil(temperature)",
    "ceiling(temperature)",
    "cos(co2)",
    "cot(1.5)",
    "degrees(1)",
    "exp(1)",
    "floor(temperature)",
    "gcd(12, 8)",
    "lcm(4, 6)",
    "ln(co2)",
    "log(2, 8)",
    "log10(co2)",
    "log2(co2)",
    "pi()",
    "pow(2, 3)",
    "power(co2, 2)",
    "radians(180)",
    "round(temperature, 0)",
    "sign(co2)",
    "sin(1)",
    "sqrt(co2)",
    "tan(1)",
    "trunc(1.5)",
    "coalesce(co2, 0)",
    "greatest(co2, 3)",
    "least(co2, 3)",
    "nullif(co2, 400)",
    "ascii(sensor)",
    "bit_length(sensor)",
    "btrim(sensor)",
    "char_length(sensor)",
    "character_length(sensor)",
    "chr(65)",
    "concat(sensor, 'x')",
    "concat_ws('-', sensor, 'x')",
    "initcap(sensor)",
    "left(sensor, 1)",
    "length(sensor)",
    "lower(sensor)",
    "ltrim(sensor)",
    "octet_length(sensor)",
    "overlay(sensor PLACING 'x' FROM 1)",
    "replace(sensor, 'a', 'b')",
    "reverse(sensor)",
    "right(sensor, 1)",
    "rtrim(sensor)",
    "split_part(sensor, '-', 1)",
    "starts_with(sensor, 'a')",
    "strpos(sensor, 'a')",
    "substr(sensor, 1, 1)",
    "substring(sensor, 1)",
    "to_hex(255)",
    "translate(sensor, 'a', 'b')",
    "trim(sensor)",
    "upper(sensor)",
    "regexp_count(sensor, 'a')",
    "regexp_instr(sensor, 'a')",
    "regexp_like(sensor, '^a')",
    "regexp_match(sensor, '(a)')",
    "regexp_replace(sensor, 'a', 'b', 'g')",
    "current_date",
    "current_timestamp",
    "date_bin(INTERVAL '1 hour', time)",
    "date_part('hour', time)",
    "date_trunc('hour', time)",
    "make_date(2026, 11, 20)",
    "now()",
    "time_bucket('1 hour', time, 'Europe/Prague')",
    "timezone('Europe/Prague', time)",
    "to_timestamp(1700000000)",
    "array_length(regexp_match(sensor, '(a)'))",
    "array_to_string(regexp_match(sensor, '(a)'), ',')",
    "cardinality(regexp_match(sensor, '(a)'))",
    "avg(co2)",
    "bool_and(co2 > 1)",
    "bool_or(co2 > 1)",
    "count(*)",
    "max(time)",
    "mean(co2)",
    "min(\"window\")",
    "sum(co2)",
    "corr(co2, temperature)",
    "covar_pop(co2, temperature)",
    "covar_samp(co2, temperature)",
    "percentile_cont(0.9) WITHIN GROUP (ORDER BY co2)",
    "regr_intercept(co2, temperature)",
    "regr_r2(co2, temperature)",
    "regr_slope(co2, temperature)",
    "stddev(co2)",
    "stddev_pop(co2)",
    "stddev_samp(co2)",
    "var_pop(co2)",
    "var_samp(co2)",
    "variance(co2)",
    "approx_distinct(sensor)",
    "approx_median(co2)",
    "approx_percentile_cont(0.9) WITHIN GROUP (ORDER BY co2)",
    "any_value(sensor)",
    "array_agg(co2)",
    "first_value(co2 ORDER BY time)",
    "last_value(co2 ORDER BY time)",
    "nth_value(co2, 2 ORDER BY time)",
    "string_agg(sensor, ',' ORDER BY time)",
    "cume_dist() OVER (ORDER BY time)",
    "dense_rank() OVER (ORDER BY time)",
    "lag(co2) OVER (ORDER BY time)",
    "lead(co2, 1, 0) OVER (ORDER BY time)",
    "ntile(2) OVER (ORDER BY time)",
    "percent_rank() OVER (ORDER BY time)",
    "rank() OVER (PARTITION BY sensor ORDER BY time)",
    "row_number() OVER (ORDER BY time)",
    "grouping(sensor)",
];

#[test]
fn each_function_on_the_list_can_be_called() {
    let mut town = Town::start();
    let mut faults = Vec::new();
    let mut called: BTreeSet<&str> = BTreeSet::new();
    for call in CALLS {
        called.insert(call.split(['(', ' ']).next().unwrap_or_default());
        let grouped = if call.starts_with("grouping") { " GROUP BY ROLLUP (sensor)" } else { "" };
        match town.ask(&format!("SELECT {call} AS it FROM air{grouped}")) {
            Ok(answer) => println!("{call} = {} ({})", answer.json()[0]["it"], answer.columns[0].1),
            Err(failure) => faults.push(format!("{call}: {failure:?}")),
        }
    }
    let missing: Vec<&str> = functions::allowed().filter(|name| !called.contains(name)).collect();
    assert!(missing.is_empty(), "not called: {missing:?}");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_is_registered_is_what_is_allowed() {
    let scalar = functions::scalar();
    let aggregate = functions::aggregate();
    let window = functions::window();
    let names: BTreeSet<&str> = (scalar
        .iter()
        .flat_map(|f| std::iter::once(f.name()).chain(f.aliases().iter().map(String::as_str))))
    .chain(aggregate.iter().flat_map(|f| std::iter::once(f.name()).chain(f.aliases().iter().map(String::as_str))))
    .chain(window.iter().flat_map(|f| std::iter::once(f.name()).chain(f.aliases().iter().map(String::as_str))))
    .collect();
    let missing: Vec<&str> = functions::allowed().filter(|name| !names.contains(name)).collect();
    assert!(missing.is_empty(), "allowed, but not there: {missing:?}");
}

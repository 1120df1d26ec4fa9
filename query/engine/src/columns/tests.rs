//! Names of columns, and the errors for wrong ones.

use super::*;
use crate::testing::dataset;

fn names(asked: &[&str]) -> Vec<String> {
    let asked: Vec<String> = asked.iter().map(|name| name.to_string()).collect();
    outputs(&dataset("town"), &asked).expect("columns").into_iter().map(|output| output.column).collect()
}

fn refused(name: &str) -> Error {
    outputs(&dataset("town"), &[name.to_owned()]).expect_err("an error")
}

#[test]
fn each_kind_has_its_functions() {
    assert_eq!(
        names(&["temperature_mean", "cars_rate", "energy_increase"]),
        ["temperature_mean", "cars_rate", "energy_increase"]
    );
    assert_eq!(names(&["door_share"]), ["door_share_open", "door_share_closed"]);
    assert_eq!(
        names(&["door_share_closed", "door_last", "noise_mean"]),
        ["door_share_closed", "door_last", "noise_mean"]
    );
    assert_eq!(names(&["wind"]), ["wind_mean", "wind_n", "wind_coverage"]);
    assert_eq!(names(&["cars", "cars_sum", "cars_n"]), ["cars_sum", "cars_n", "cars_coverage"]);
    assert_eq!(names(&[]).len(), 5 + 3 + 3 + 5 + 5 + 3);
}

#[test]
fn what_is_wrong_for_a_kind_is_refused_naming_what_is_right() {
    let error = refused("wind_min");
    assert_eq!((error.kind, error.parameter), (crate::Kind::Invalid, Some("fields")));
    assert_eq!(error.message, "wind is of kind angle, which has no function \"min\"");
    assert_eq!(error.accepted, ["wind_mean", "wind_n", "wind_coverage", "wind_last"]);
    assert!(refused("door_share_ajar").accepted.contains(&"door_share_open".to_owned()));
    assert!(refused("doors_n").accepted.contains(&"door".to_owned()));
    assert!(refused("energy_sum").message.contains("cumulative"));
    assert!(refused("").accepted.contains(&"cars".to_owned()));
}

#[test]
fn a_name_means_the_longest_field_it_fits() {
    let mut town = (*dataset("town")).clone();
    let mut longer = town.fields[0].clone();
    longer.name = "temperature_mean".into();
    town.fields.push(longer);
    let found = |name: &str| {
        let output = outputs(&town, &[name.to_owned()]).expect("a column").remove(0);
        (output.field, output.function)
    };
    assert_eq!(found("temperature_max"), (0, Function::Max));
    assert_eq!(found("temperature_mean_max"), (6, Function::Max));
    assert_eq!(found("temperature_mean"), (6, Function::Mean));
}

#[test]
fn units_are_those_of_the_values() {
    let town = dataset("town");
    let unit = |name: &str| outputs(&town, &[name.to_owned()]).expect("a column")[0].meta(&town).unit;
    assert_eq!(unit("temperature_mean").as_deref(), Some("Cel"));
    assert_eq!(unit("cars_rate").as_deref(), Some("{car}/h"));
    assert_eq!(unit("cars_coverage").as_deref(), Some("1"));
    assert_eq!(unit("cars_n"), None);
    assert_eq!(unit("door_last"), None);
}

#[test]
fn quantiles_are_of_numbers_and_by_sketch_where_the_contract_says_so() {
    let mut town = (*dataset("town")).clone();
    town.fields[0].quantiles = true;
    let found = |name: &str| outputs(&town, &[name.to_owned()]).map(|mut all| all.remove(0).function);
    assert_eq!(found("temperature_p5"), Ok(Function::Quantile { percent: 5, sketch: false }));
    assert_eq!(found("temperature_p95_sketch"), Ok(Function::Quantile { percent: 95, sketch: true }));
    for wrong in
        ["temperature_p0", "temperature_p100", "temperature_p05", "temperature_p+5", "cars_p95_sketch", "wind_p50"]
    {
        assert!(found(wrong).is_err(), "{wrong}");
    }
    assert!(found("cars_p0").expect_err("refused").accepted.contains(&"cars_p1..p99".to_owned()));
    assert!(outputs(&town, &["temperature_p95_sketch".to_owned()]).expect("a column")[0].meta(&town).by_sketch);
}

//! Whether the server is well: what of a glance needs a person, and soon.

use super::Glance;
use crate::console::{bytes, span};

/// Seconds a message may wait for its acknowledgement.
const PATIENCE: f64 = 10.0;
/// Seconds of room for readings that are few.
const SOON: f64 = 24.0 * 3600.0;

/// What is wrong, each in one line that names it.
pub(super) fn wrong(glance: &Glance) -> Vec<String> {
    let mut wrong: Vec<String> = glance.unready.iter().map(|why| format!("nothing is taken in: {why}")).collect();
    if let Some(seconds) = glance.oldest_unacked_seconds.filter(|seconds| *seconds > PATIENCE) {
        wrong.push(format!("the oldest message has waited {} for its acknowledgement", span(seconds)));
    }
    for door in glance.doors.iter().filter(|door| door.broker) {
        let name = &door.name;
        if door.connections == 0 {
            wrong.push(format!("{name} is not connected; the log tells why"));
        }
        if door.refused_filters > 0 {
            let filters = door.refused_filters;
            wrong.push(format!("{name} refuses {filters} of the subscriptions; its access rules must allow them"));
        }
    }
    for dataset in &glance.store.datasets {
        wrong.extend(dataset.trouble.as_ref().map(|why| format!("{}: maintenance fails: {why}", dataset.id)));
    }
    wrong.extend(glance.certificates.iter().cloned());
    let (room, reserve) = (glance.store.room(), glance.store.reserve_bytes);
    if glance.full_in_seconds.is_some_and(|seconds| seconds < SOON) {
        let seconds = glance.full_in_seconds.unwrap_or_default();
        wrong.push(format!("the disk is full in about {}, and then nothing is taken in", span(seconds)));
    } else if room < reserve {
        wrong.push(format!("the disk is nearly full: intake stops after {} more", bytes(room)));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::Door;
    use super::*;
    use store::{DatasetStatus, Status};

    fn well() -> Glance {
        let store = Status { free_bytes: 10 << 30, reserve_bytes: 256 << 20, ..Status::default() };
        Glance { store, oldest_unacked_seconds: Some(0.01), full_in_seconds: Some(40.0 * SOON), ..Glance::default() }
    }

    #[test]
    fn a_server_that_works_is_well() {
        assert_eq!(wrong(&well()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named() {
        let broker = Door { name: "broker b:1883".into(), broker: true, refused_filters: 2, ..Door::default() };
        let troubled = DatasetStatus { id: "air".into(), trouble: Some("no room".into()), ..DatasetStatus::default() };
        type Harm = fn(&mut Glance);
        let cases: [(Harm, &str); 5] = [
            (|g| g.unready.push("disk full".into()), "nothing is taken in: disk full"),
            (|g| g.oldest_unacked_seconds = Some(61.0), "waited 61 s"),
            (|g| g.full_in_seconds = Some(3600.0), "full in about 60 min"),
            (|g| g.store.free_bytes = 300 << 20, "after 44.0 MiB more"),
            (|g| g.store.log_free_bytes = Some(0), "after 0 B more"),
        ];
        for (harm, named) in cases {
            let mut glance = well();
            harm(&mut glance);
            let told = wrong(&glance);
            assert!(told.len() == 1 && told[0].contains(named), "{named}: {told:?}");
        }
        let store = Status { datasets: vec![troubled], ..well().store };
        let told = wrong(&Glance { doors: vec![broker], store, ..well() });
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("not connected") && told[1].contains("2 of") && told[2].contains("air"), "{told:?}");
    }
}

//! Which columns of tiers the functions of a question are made of.

use crate::columns::{Function, Output};
use schemas::{Dataset, Kind};
use store::Tier;
use store::tier::columns::{Part, columns};

/// What is read of fields, from raw rows and from tiers.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Fields, as indexes into the dataset's.
    pub fields: Vec<usize>,
    /// Per tier, in the order of [`Tier::ALL`]: the columns wanted.
    columns: [Vec<Known>; 3],
}

/// A column of a tier: its field, what it holds, its number.
type Known = (usize, Part, usize);

/// The columns a function is made of, besides the number of readings; nothing where only raw rows tell.
pub(crate) fn parts(kind: &Kind, function: Function) -> Option<Vec<Part>> {
    let parts = match (function, kind) {
        (Function::N | Function::Coverage, _) => vec![],
        (Function::Quantile { sketch: false, .. }, _) => return None,
        (Function::Quantile { sketch: true, .. }, _) => vec![Part::Sketch, Part::Min, Part::Max],
        (Function::Last, _) => vec![Part::Last, Part::LastAt],
        (Function::Min, _) => vec![Part::Min],
        (Function::Max, _) => vec![Part::Max],
        (Function::Increase, _) => vec![Part::First, Part::FirstAt, Part::Last, Part::LastAt, Part::Increase],
        (Function::Share(_), Kind::State { values, .. }) => {
            [Part::FirstAt, Part::Last, Part::LastAt].into_iter().chain((0..values.len()).map(Part::Micros)).collect()
        }
        (_, Kind::Level) => vec![Part::Energy],
        (_, Kind::Angle) => vec![Part::Sin, Part::Cos],
        _ => vec![Part::Sum],
    };
    Some(parts)
}

impl Wanted {
    /// What some columns of an answer are made of.
    pub(crate) fn of(dataset: &Dataset, outputs: &[Output]) -> Wanted {
        let mut fields: Vec<usize> = outputs.iter().map(|output| output.field).collect();
        fields.sort_unstable();
        fields.dedup();
        let made = |field: usize, part: Part| {
            let of_field = outputs.iter().filter(|output| output.field == field);
            let mut parts = of_field.filter_map(|output| parts(&dataset.fields[field].kind, output.function)).flatten();
            part == Part::N && fields.contains(&field) || parts.any(|own| own == part)
        };
        let columns = Tier::ALL.map(|tier| {
            let all = columns(dataset, tier).into_iter().zip(0..);
            all.filter(|(column, _)| made(column.field, column.part))
                .map(|(column, number)| (column.field, column.part, number))
                .collect()
        });
        Wanted { fields, columns }
    }

    /// Numbers of the columns wanted of a tier.
    pub(crate) fn numbers(&self, tier: Tier) -> Vec<usize> {
        self.columns[tier as usize].iter().map(|(.., number)| *number).collect()
    }

    /// The columns of a tier that are wanted of a field.
    pub(crate) fn of_field(&self, tier: Tier, field: usize) -> &[Known] {
        let all = &self.columns[tier as usize];
        let from = all.partition_point(|(own, ..)| *own < field);
        let to = all.partition_point(|(own, ..)| *own <= field);
        &all[from..to]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CARS, DOOR, dataset};

    #[test]
    fn only_the_columns_a_function_needs_are_read() {
        let dataset = dataset("town");
        let output = |field, function| Output { field, function, column: String::new() };
        let wanted = Wanted::of(&dataset, &[output(CARS, Function::Mean), output(DOOR, Function::Last)]);
        assert_eq!(wanted.fields, [CARS, DOOR]);
        let all = columns(&dataset, Tier::Hour);
        let names: Vec<&str> = wanted.numbers(Tier::Hour).iter().map(|&number| &*all[number].name).collect();
        assert_eq!(names, ["cars_n", "cars_sum", "door_n", "door_last", "door_last_at"]);
        assert_eq!(wanted.of_field(Tier::Hour, DOOR).len(), 3);
    }
}

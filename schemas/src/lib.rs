//! Every word of Lamppost: datasets, fields, units, sensors, readings, windows and the contracts that declare them.
//!
//! No I/O, no clock, no async: each function takes what it needs, time included, and gives back a value or an error.

pub mod batch;
pub mod circle;
pub mod contract;
pub mod dataset;
pub mod decimal;
pub mod energy;
pub mod fault;
pub mod field;
pub mod kind;
pub mod near;
pub mod pattern;
pub mod place;
pub mod reading;
pub mod registry;
pub mod reject;
pub mod resolution;
pub mod sensor;
pub mod sketch;
pub mod source;
pub mod stamp;
pub mod template;
pub mod time;
pub mod topic;
pub mod unit;
pub mod window;
pub mod zone;

pub use batch::{ABSENT, Batch, Mark};
pub use dataset::{Access, Cadence, Dataset, Keep, Keeps, Text, UnknownSensors};
pub use decimal::Decimal;
pub use fault::{Fault, Faults};
pub use field::Field;
pub use kind::Kind;
pub use pattern::Pattern;
pub use place::Place;
pub use reading::Reading;
pub use registry::Registry;
pub use reject::{Reason, Reject};
pub use resolution::Resolution;
pub use sensor::{Note, Sensor};
pub use source::Source;
pub use time::{Day, Span, Time};
pub use unit::Unit;
pub use window::Bucket;
pub use zone::Zone;

//! The columns of a file: sensor, time, then one per field of the dataset.

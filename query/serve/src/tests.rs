//! The API over a real engine and a real store, in one process; sockets where sockets matter.

mod answers;
mod doors;
mod keys;
mod refusals;
mod sql;
mod town;
mod worker;

//! What every function stands on: its environment, its kind, its start and its log.
//!
//! A function is a [`Function`]: a name and a way to start in an [`Environment`]. The binary gives it
//! Lambda's environment ([`run`]); the embedded cloud gives it one of its own. Nothing here knows a table,
//! a route or a queue, and nothing else in a function may read the clock, the process environment or a
//! source of randomness: that is what makes the whole system run deterministically under a seed.

mod backoff;
pub mod calls;
mod contention;
mod environment;
mod function;
mod http_client;
mod internal;
pub mod log;
pub mod recovery;
pub mod report;
mod task;
mod timer;

pub use backoff::{Backoff, Tries};
pub use contention::Contention;
pub use environment::{Clock, Environment, Random, StartError};
pub use function::{Function, FunctionError, Handler, Invocation, Kind, Start, Starting, run};
pub use http_client::http_client;
pub use internal::Internal;
pub use task::{Budget, Task, task};
pub use timer::{OutOfTime, Timer};

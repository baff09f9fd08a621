//! The whole shop under a seed, with everything going wrong that may: the functions of template.yaml, unchanged,
//! in the embedded cloud and in virtual time, with faults at the wire, and with invariants that are checked at
//! every write.
//!
//! ```text
//! seed -> Case: operations of customers and administrators (workload), faults and their rates (fault plan)
//!      -> run: the cloud, with faults injected, watched by the model (tables, event log, messages)
//!      -> quiet: faults end, dead letters are redriven, orders become final, stock and statistics are verified
//!      -> violations, each with the invariant that it breaks
//! ```
//!
//! A [`mutants`] entry puts a real mistake into the wire, to see that an invariant catches it. [`coverage`] lists
//! every AWS call of every function, and whether the function has died before and after it. Nothing here may be
//! known to production code, and nothing may depend on the clock or on the order of a hash map: the same case
//! gives the same trace, byte for byte.

mod campaign;
mod case;
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this command talks to a person, or to CI's log"
)]
mod command;
mod coverage;
mod fault_plan;
mod faults;
mod model;
mod mutants;
mod operator;
mod order_trace;
mod run;
mod services;
mod shrink;
mod violation;
mod workload;

pub use self::services::{INVARIANTS, Invariants};
pub use case::Case;
pub use command::command;
pub use faults::Fault;
pub use model::invariants;
pub use mutants::{Mutant, all as mutants};
pub use run::{Outcome, run, template};
pub use violation::Violation;

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

pub mod campaign;
pub mod case;
pub mod coverage;
mod fault_plan;
pub mod faults;
pub mod model;
pub mod mutants;
mod operator;
pub mod order_trace;
pub mod run;
mod services;
pub mod shrink;
mod workload;

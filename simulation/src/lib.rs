//! The whole shop under a seed, with everything going wrong that may: the functions of template.yaml, unchanged,
//! in the embedded cloud and in virtual time, with faults at the wire, and with invariants that are checked at
//! every write.
//!
//! ```text
//! seed -> Case: operations of customers and administrators (workload), faults and their rates (weather)
//!      -> run: the cloud, disturbed by the weather, watched by the books (world, told, messages)
//!      -> calm: faults end, dead letters are redriven, orders become final, the books are verified
//!      -> violations, each with the invariant that it breaks
//! ```
//!
//! A [`plants`] entry puts a real mistake into the wire, to see that an invariant catches it. [`coverage`] lists
//! every AWS call of every function, and whether the function has died before and after it. Nothing here may be
//! known to production code, and nothing may depend on the clock or on the order of a hash map: the same case
//! gives the same trace, byte for byte.

pub mod books;
pub mod campaign;
pub mod case;
pub mod coverage;
pub mod faults;
mod operator;
pub mod plants;
pub mod run;
pub mod shrink;
pub mod story;
mod weather;
mod workload;

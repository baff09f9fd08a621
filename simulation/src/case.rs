//! A case: everything that decides a run. The same case is the same run.

use std::collections::BTreeSet;
use std::fmt;

use crate::coverage::CrashPoint;
use crate::faults::Fault;
use crate::mutants::Mutant;

/// What decides a run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where everything is drawn from.
    pub(crate) seed: u64,
    /// The operations that are carried out, by their number; all without a choice.
    pub(crate) operations: Option<BTreeSet<usize>>,
    /// The faults that may happen, of those that the seed draws; all without a choice.
    pub(crate) faults: Option<Vec<Fault>>,
    /// A mistake that is put into the wire.
    pub(crate) mutant: Option<&'static Mutant>,
    /// Calls at which functions die, besides what the seed draws: at each the first one that gets there.
    pub(crate) crashes: Vec<CrashPoint>,
}

impl Case {
    /// The whole case of a seed.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        Self { seed, operations: None, faults: None, mutant: None, crashes: Vec::new() }
    }

    /// Whether an operation is carried out.
    #[must_use]
    pub(crate) fn includes(&self, operation: usize) -> bool {
        self.operations.as_ref().is_none_or(|chosen| chosen.contains(&operation))
    }
}

/// The arguments of `cargo xtask simulate` that run it again.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--seeds {}..{}", self.seed, self.seed + 1)?;
        if let Some(mutant) = self.mutant {
            write!(f, " --mutant {}", mutant.name)?;
        }
        if let Some(faults) = &self.faults {
            let names: Vec<_> = faults.iter().map(|fault| fault.name()).collect();
            write!(f, " --faults {}", if names.is_empty() { "none".to_owned() } else { names.join(",") })?;
        }
        if let Some(operations) = &self.operations {
            let numbers: Vec<_> = operations.iter().map(ToString::to_string).collect();
            write!(f, " --operations {}", numbers.join(","))?;
        }
        self.crashes.iter().try_for_each(|crash| write!(f, " --crash '{crash}'"))
    }
}

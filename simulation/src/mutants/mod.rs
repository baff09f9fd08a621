//! Mutants: each makes a mistake that real systems have made. It is made at the wire, so that
//! production code does what the mistaken code would do.
//!
//! A mutant that no invariant catches within some hundred seeds means that an invariant has no teeth.

mod deliveries;
pub(crate) mod edit;
mod writes;

use std::collections::BTreeSet;

use shop_local::cloud::{Call, Delivery};

/// A mutant: one mistake.
#[derive(Debug)]
pub struct Mutant {
    /// Its name on the command line.
    pub name: &'static str,
    /// The mistake in somebody's code that it stands for.
    pub stands_for: &'static str,
    pub(crate) mutation: Mutation,
}

/// The bodies that are carried out in the place of a request's; none where it is left alone.
type OfRequest = fn(&Call) -> Option<Vec<Vec<u8>>>;

/// Where in the wire a mistake is made.
#[derive(Debug)]
pub(crate) enum Mutation {
    /// In the requests of functions.
    Request(OfRequest),
    /// In what a subscription lets through: queue, message, and whether it should pass.
    Filter(fn(&str, &str, bool) -> bool),
    /// Between topic and queue: what is lost.
    Loss(fn(&str, &str) -> bool),
    /// Between table and relay: what is lost.
    Stream(fn(&str, &str) -> bool),
    /// In what a function reports of a batch.
    BatchResult(fn(&Delivery<'_>, BTreeSet<usize>) -> BTreeSet<usize>),
    /// In the schedule of a function, which never comes.
    Schedule(&'static str),
    /// In a function's consistent reads of many items, which show a time that is long past.
    Stale(&'static str),
}

/// All of them.
#[must_use]
pub fn all() -> Vec<&'static Mutant> {
    writes::MUTANTS.iter().chain(deliveries::MUTANTS).collect()
}

/// The one with a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Mutant> {
    all().into_iter().find(|mutant| mutant.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_and_each_has_a_name_of_its_own() {
        let names: BTreeSet<_> = all().iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), all().len());
        assert!(names.len() >= 25, "{}", names.len());
    }
}

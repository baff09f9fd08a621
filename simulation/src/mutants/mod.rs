//! Mutants: each makes a mistake that real systems have made. It is made at the wire, so that
//! production code does what the mistaken code would do.
//!
//! A mutant that no invariant catches within some hundred seeds means that an invariant has no teeth.

mod deliveries;
pub(crate) mod edit;
mod writes;

use std::collections::BTreeSet;

use serde_json::Value;
use shop_local::cloud::{Call, Delivery};

use edit::{edited, edited_items, is, published};

const TRANSACTION: &str = "TransactWriteItems";

/// A mutant: one mistake.
#[derive(Debug)]
pub struct Mutant {
    /// Its name on the command line.
    pub name: &'static str,
    /// The mistake in somebody's code that it stands for.
    pub(crate) stands_for: &'static str,
    pub(crate) mutation: Mutation,
}

/// Changes a request, an item or an event; false where it finds nothing to change, and all stays as it is.
type Edit = fn(&mut Value) -> bool;

/// Where in the wire a mistake is made.
#[derive(Debug)]
pub(crate) enum Mutation {
    /// In a function's calls of one operation: the bodies that are carried out in the place of the request's; none
    /// where it is left alone.
    Request(&'static str, &'static str, fn(&Call) -> Option<Vec<Vec<u8>>>),
    /// In the body of a function's calls of one operation.
    Body(&'static str, &'static str, Edit),
    /// In each item of a function's transactions.
    Item(&'static str, Edit),
    /// In each event that a relay publishes.
    Event(&'static str, Edit),
    /// In what a subscription lets through: queue, message, and whether it should pass.
    Filter(fn(&str, &str, bool) -> bool),
    /// Between topic and queue: what is lost.
    Loss(fn(&str, &str) -> bool),
    /// Between table and relay: what is lost.
    Stream(fn(&str, &str) -> bool),
    /// In what a function reports of a batch.
    BatchResult(fn(&Delivery<'_>, BTreeSet<usize>) -> BTreeSet<usize>),
    /// In what any consumer tells its queue of the messages that failed: the bodies in the place of the call's.
    Visibility(fn(&Call) -> Option<Vec<Vec<u8>>>),
    /// In the schedule of a function, which never comes.
    Schedule(&'static str),
    /// In a function's calls of S3, which do not ask for the version that was read.
    Unconditional(&'static str),
    /// In a function's consistent reads by key, which show a time that is long past.
    Stale(&'static str),
}

impl Mutant {
    const fn new(name: &'static str, stands_for: &'static str, mutation: Mutation) -> Self {
        Self { name, stands_for, mutation }
    }
}

impl Mutation {
    /// The bodies that are carried out in the place of a request's; none where it is left alone.
    pub(crate) fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        match self {
            Self::Request(caller, operation, bodies) if is(call, caller, operation) => bodies(call),
            Self::Body(caller, operation, edit) if is(call, caller, operation) => edited(call, *edit),
            Self::Item(caller, edit) if is(call, caller, TRANSACTION) => edited_items(call, *edit),
            Self::Visibility(bodies) if call.operation == "ChangeMessageVisibilityBatch" => bodies(call),
            Self::Event(relay, edit) if is(call, relay, "PublishBatch") => published(call, *edit),
            _ => None,
        }
    }
}

/// All of them.
#[must_use]
pub fn all() -> Vec<&'static Mutant> {
    writes::MUTANTS.iter().chain(deliveries::MUTANTS).collect()
}

/// The one with a name.
#[must_use]
pub(crate) fn find(name: &str) -> Option<&'static Mutant> {
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

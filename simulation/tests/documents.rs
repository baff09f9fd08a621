//! docs/reliability.md names every fault, every invariant and every mutant, and no other.

use std::collections::BTreeSet;
use std::path::Path;

use simulation::{Fault, invariants, mutants};

/// The names in the first column of the table under a heading.
fn listed(document: &str, heading: &str) -> BTreeSet<String> {
    let section = document.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn the_document_lists_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let document = std::fs::read_to_string(path).unwrap();
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(listed(&document, "Faults"), names(Fault::ALL.iter().map(|fault| fault.name()).collect()));
    assert_eq!(listed(&document, "Invariants"), names(invariants().map(|(name, _)| name).collect()));
    assert_eq!(listed(&document, "Mutants"), names(mutants().iter().map(|mutant| mutant.name).collect()));
    assert!(listed(&document, "No such heading").is_empty());
}

//! No service is forgotten.

use std::collections::BTreeSet;

use simulation::{INVARIANTS, Invariants};

#[test]
fn every_service_says_what_must_hold_of_it_or_why_nothing_does() {
    let known: BTreeSet<_> = INVARIANTS.iter().map(|(name, _)| *name).collect();
    for service in services::SERVICES.iter().map(|service| service.name) {
        assert!(
            known.contains(service),
            "nothing says what must hold of {service}: it needs simulation/src/services/{service}.rs \
             (docs/adding.md, A service)"
        );
    }
    assert_eq!(known.len(), services::SERVICES.len(), "one of them is no service: {known:?}");
    for (service, invariants) in INVARIANTS {
        let is_empty = match invariants {
            Invariants::Are(invariants) => invariants.is_empty(),
            Invariants::NoneBecause(reason) => reason.is_empty(),
        };
        assert!(!is_empty, "{service} has no invariant, and does not say why: Invariants::NoneBecause");
    }
}

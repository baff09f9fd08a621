//! Seeds that once failed, each with the bug that it found, in the system or in the simulation. They are kept whole: a
//! seed is cheap, and what it stumbles over next need not be what it found.

use simulation::{Case, run, template};

/// Seeds, and what they found.
const FOUND: &[(u64, &str)] = &[
    (11, "verify-stock and verify-user-stats gave up at an item that is no order, instead of telling of it"),
    (
        1_795_556_763_761,
        "the invariant no-undersell forgot what a plan had set aside for orders ahead of the rejected one",
    ),
    (
        1_795_681_875_542,
        "the invariant no-undersell judged a rejection by the stock of a minute after its claim",
    ),
    (
        1_795_698_523_132,
        "the invariant a-failed-message-waits-its-time took a message's next reception for the one before; and later: \
         a mail that was refused at the end of SES's outage waited for 20 minutes",
    ),
    (
        70_579,
        "a writer of the index that found nothing to change let a slower one publish what had been so in between: \
         sold out, though there was some again",
    ),
    (
        1_795_757_646_126,
        "a redrive's progress, by a clock that was behind, set its time to before its beginning",
    ),
    (
        1_795_827_509_215,
        "the invariant an-export-has-each-product-once took an export's times, by a clock that was behind, for its own",
    ),
];

#[test]
fn what_was_found_once_is_not_found_again() {
    let template = template().unwrap();
    for (seed, bug) in FOUND {
        let outcome = run(&Case::of_seed(*seed), &template, false).unwrap();
        assert!(outcome.violations.is_empty(), "seed {seed} ({bug}): {:#?}", outcome.violations);
    }
}

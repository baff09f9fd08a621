//! Orders whose stock fills a transaction: claimed first, completed by whoever comes next.

use super::*;

#[test]
fn an_order_of_100_products_is_settled_and_cancelled() {
    let mut table = warehouse(3);
    let steps = settle(&mut table, &[large("o"), large("p"), placed("q", 9, &[("p000", 1)])]);
    assert_eq!(statuses(&table, &["o", "p", "q"]).iter().flatten().count(), 3);
    let reserved = statuses(&table, &["o", "p"]);
    assert!(reserved.contains(&Some(Status::Reserved)) && reserved.contains(&Some(Status::Rejected)));
    assert_eq!(figures(&table, "p050"), (1, 2));
    assert!(steps.len() >= 4);
    settle(&mut table, &[cancelled(&large("o")), cancelled(&large("p"))]);
    assert_eq!(figures(&table, "p050"), (3, 0));
    assert_eq!(settle(&mut table, &[large("o"), large("p")]), []);
}

#[test]
fn a_claim_that_was_left_behind_is_completed_by_whoever_comes_next() {
    for request in [large("o"), cancelled(&large("o")), both(&large("o")), placed("q", 0, &[("p000", 1)])] {
        let mut table = warehouse(3);
        let steps = plan(&[large("o")], table.clone(), now());
        assert!(matches!(steps[..], [Step::Claim { .. }, Step::Complete { .. }]));
        assert!(carry_out(&mut table, &steps[0]));
        check(&table);
        assert_eq!(statuses(&table, &["o"]), [None]);
        let next = settle(&mut table, std::slice::from_ref(&request));
        assert_eq!(next[0], steps[1]);
        let released = request.cancelled.is_some();
        let expected = if released { Status::Released } else { Status::Reserved };
        assert_eq!(statuses(&table, &["o"]), [Some(expected)]);
        assert!(!carry_out(&mut table, &steps[1]), "it is completed once");
    }
}

#[test]
fn a_large_order_and_its_cancellation_at_once_leave_one_outcome() {
    let fresh = warehouse(3);
    let reserve = plan(&[large("o")], fresh.clone(), now());
    let cancel = plan(&[cancelled(&large("o"))], fresh.clone(), now());
    for (first, second) in [(&reserve, &cancel), (&cancel, &reserve)] {
        let mut table = fresh.clone();
        assert!(carry_out(&mut table, &first[0]));
        assert!(!carry_out(&mut table, &second[0]));
        assert!(carry_out(&mut table, &first[1]));
        settle(&mut table, &[large("o")]);
        settle(&mut table, &[cancelled(&large("o"))]);
        assert_eq!(figures(&table, "p000"), (3, 0));
        assert_eq!(statuses(&table, &["o"]), [Some(Status::Released)]);
    }
}

//! Orders that were pending for too long: an event of theirs may be lost, or only late.

use super::*;

#[test]
fn an_order_whose_creation_was_lost_is_settled_as_a_new_one() {
    let mut table = state(&[("a", 5)]);
    let requests =
        [placed("o", 2, &[("a", 3)]), placed("p", 1, &[("a", 3)])].map(|request| stalled(&request));
    let steps = settle(&mut table, &requests);
    assert!(matches!(steps[..], [Step::Settle { .. }]), "{steps:?}");
    assert_eq!(statuses(&table, &["p", "o"]), [Some(Status::Reserved), Some(Status::Rejected)]);
    assert_eq!(table.reservations[&order("p")].cause, cause("stalled"));
    assert_eq!(figures(&table, "a"), (2, 3));
}

#[test]
fn what_became_of_an_order_is_told_once_more_and_nothing_else_changes() {
    let mut table = state(&[("a", 5)]);
    let requests = [placed("o", 1, &[("a", 5)]), placed("p", 2, &[("a", 5)])];
    settle(&mut table, &requests);
    for re_emits in 1..3 {
        let before = table.clone();
        let steps = settle(&mut table, &requests.clone().map(|request| stalled(&request)));
        let [Step::ReEmit { entries }] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!(entries.len(), 2);
        assert_eq!(table.stocks, before.stocks);
        for (id, entry) in &table.reservations {
            assert_eq!(entry.re_emits, re_emits);
            assert_eq!(Reservation { re_emits: re_emits - 1, ..entry.clone() }, before.reservations[id]);
        }
    }
}

#[test]
fn what_the_batch_settles_itself_is_not_told_twice() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 3)]);
    let created_and_stalled = ReservationRequest { stalled: Some(cause("stalled")), ..request.clone() };
    let steps = settle(&mut table, std::slice::from_ref(&created_and_stalled));
    assert!(matches!(steps[..], [Step::Settle { .. }]), "{steps:?}");
    assert_eq!(table.reservations[&order("o")].cause, cause("created"));

    let cancelled_and_stalled =
        ReservationRequest { cancelled: Some(cause("cancelled")), ..stalled(&request) };
    let steps = settle(&mut table, std::slice::from_ref(&cancelled_and_stalled));
    assert!(matches!(steps[..], [Step::Settle { .. }]), "{steps:?}");
    assert_eq!(figures(&table, "a"), (5, 0));
}

#[test]
fn a_released_order_is_told_no_more() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 3)]);
    settle(&mut table, &[both(&request)]);
    assert_eq!(settle(&mut table, &[stalled(&request)]), []);
    assert_eq!(figures(&table, "a"), (5, 0));
}

#[test]
fn who_tells_at_the_same_time_tells_once() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 3)]);
    settle(&mut table, std::slice::from_ref(&request));
    let seen = read(&table, std::slice::from_ref(&request));
    let [step] = &plan(&[stalled(&request)], seen, now())[..] else { panic!("one step") };
    assert!(carry_out(&mut table, step));
    assert!(!carry_out(&mut table, step), "it has been re-emitted since it was read");
    assert_eq!(table.reservations[&order("o")].re_emits, 1);
}

#[test]
fn a_claim_is_completed_which_tells_it_and_told_once_more_only_later() {
    let mut table = warehouse(3);
    let steps = plan(&[large("o")], table.clone(), now());
    assert!(carry_out(&mut table, &steps[0]));
    let completed = settle(&mut table, &[stalled(&large("o"))]);
    assert_eq!(completed, [steps[1].clone()]);
    let published = settle(&mut table, &[stalled(&large("o"))]);
    assert!(matches!(published[..], [Step::ReEmit { .. }]), "{published:?}");
    assert_eq!(figures(&table, "p050"), (1, 2));
}

#[test]
fn a_repair_marks_what_it_writes() {
    let mut table = warehouse(5);
    let request = placed("o", 0, &[("p000", 3)]);
    settle(&mut table, std::slice::from_ref(&request));
    let repair = |request: &ReservationRequest| ReservationRequest { is_repair: true, ..cancelled(request) };
    settle(&mut table, &[repair(&request), repair(&placed("p", 0, &[("p000", 1)])), repair(&large("q"))]);
    let marks = ["o", "p", "q"].map(|name| table.reservations[&order(name)].repair);
    assert_eq!(marks, [Some(2), Some(1), Some(1)]);
    assert_eq!(settle(&mut table, &[repair(&request)]), []);
}

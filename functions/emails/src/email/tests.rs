use shop_events::{OrderSnapshot, OrderStatus, UserPasswordResetRequested, UserSnapshot};
use shop_types::{Currency, Money};

use super::*;

pub(crate) fn order_id() -> OrderId {
    OrderId::derived(b"test", "test", "order")
}

fn event(data: EventData) -> Event {
    Event::new(data, 2, Timestamp::from_millis(500), Cause::request("request-1"))
}

pub(crate) fn confirmed() -> Event {
    event(EventData::OrderConfirmed(OrderSnapshot {
        order_id: order_id(),
        customer_id: None,
        status: OrderStatus::Confirmed,
        lines: Vec::new(),
        total: Money { minor: 100, currency: Currency::USD },
        placed_at: Timestamp::from_millis(400),
    }))
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The confirmation of a guest's order, not stored yet.
pub(crate) fn email() -> Email {
    Email::of_event(&confirmed(), at(1000)).unwrap()
}

fn word(fate: Fate) -> Feedback {
    Feedback {
        fate,
        email: Some(email().id),
        message_id: "m-1".to_owned(),
        sent_at: at(2000),
        id: "m-1".to_owned(),
    }
}

#[test]
fn there_is_one_mail_for_each_thing_and_template() {
    let again = Email::of_event(&confirmed(), at(9000)).unwrap();
    assert_eq!(email().id, again.id);
    let user_id = UserId::fresh(at(1), [1; 10]);
    let registered = UserSnapshot { user_id: user_id.clone(), is_admin: false, registered_at: at(1) };
    let welcome = Email::of_event(&event(EventData::UserRegistered(registered)), at(1000)).unwrap();
    assert_eq!((welcome.template, welcome.user_id), (EmailTemplate::Welcome, Some(user_id)));
    // Who asks twice gets two, and the same request twice is one.
    let reset = |millis| {
        let asked =
            UserPasswordResetRequested { user_id: UserId::fresh(at(1), [1; 10]), requested_at: at(millis) };
        Email::of_event(&event(EventData::UserPasswordResetRequested(asked)), at(1000)).unwrap()
    };
    assert_eq!(reset(7).id, reset(7).id);
    assert_ne!(reset(7).id, reset(8).id);
    assert_eq!(reset(7).asked_at, Some(at(7)));
    let ids: std::collections::BTreeSet<_> =
        TEMPLATES.iter().map(|template| email_id(*template, order_id().as_str())).collect();
    assert_eq!(ids.len(), TEMPLATES.len());
    assert_eq!(email().cause.causation_id, Some(confirmed().id().clone()));
}

#[test]
fn names_are_those_of_the_events() {
    for template in TEMPLATES {
        assert_eq!(serde_json::to_value(template).unwrap(), template_name(template));
    }
}

#[test]
fn whatever_is_open_is_due_and_nothing_else() {
    let sending = email().claimed("c".into(), at(2000));
    assert_eq!((sending.status, sending.attempt, sending.version), (Status::Sending, 1, 1));
    assert_eq!(sending.due(), Some(at(2000 + 600_000)));
    let queued = sending.put_back(Reason::Throttled, at(3000));
    assert_eq!(queued.due(), Some(at(2000 + 600_000)));
    assert_eq!(queued.claimed("d".into(), at(4000)).attempt, 2);
    for done in [
        sending.sent("m-1".into(), at(3000)),
        sending.failed(Reason::Rejected, at(3000)),
        email().skipped(Reason::NoSender, at(3000)),
        sending.noted(&word(Fate::Complained), at(3000)).unwrap(),
    ] {
        assert_eq!(done.due(), None, "{:?}", done.status);
    }
}

#[test]
fn what_ses_says_settles_a_mail_in_whatever_order_it_comes() {
    let permanent = Fate::Bounced(Reason::Permanent);
    let all = [Fate::Sent, permanent, Fate::Complained, Fate::Rejected];
    let sending = email().claimed("c".into(), at(2000));
    let note = |before: &Email, fate| before.noted(&word(fate), at(3000)).unwrap_or_else(|| before.clone());
    for before in [
        sending.clone(),
        sending.put_back(Reason::Throttled, at(2500)),
        // Its own guess, and an answer of SES's to a call: a message that SES has after all settles both.
        sending.failed(Reason::Rejected, at(2500)),
        sending.failed(Reason::Expired, at(2500)),
        sending.skipped(Reason::Overtaken, at(2500)),
        sending.sent("m-1".into(), at(2500)),
    ] {
        assert_eq!(note(&before, Fate::Sent).status, Status::Sent);
        assert_eq!(note(&note(&before, permanent), Fate::Sent).status, Status::Bounced);
        // Both orders: SES has taken it, and has rejected it then.
        for fates in [[Fate::Sent, Fate::Rejected], [Fate::Rejected, Fate::Sent]] {
            let after = fates.iter().fold(before.clone(), |email, fate| note(&email, *fate));
            assert_eq!((after.status, after.reason), (Status::Failed, Some(Reason::Rejected)), "{fates:?}");
            assert_eq!(after.message_id.as_deref(), Some("m-1"));
        }
        for fates in [[Fate::Sent, permanent, Fate::Complained], [Fate::Complained, permanent, Fate::Sent]] {
            let after = fates.iter().fold(before.clone(), |email, fate| note(&email, *fate));
            assert_eq!(after.status, Status::Complained, "{fates:?}");
            assert!(after.sent_at.is_some() && after.message_id.as_deref() == Some("m-1"));
        }
        for fate in all {
            let once = note(&before, fate);
            assert_eq!(note(&once, fate), once, "told twice: {fate:?}");
        }
    }
}

#[test]
fn a_mail_is_wanted_for_three_days() {
    assert!(!email().is_expired(at(1000 + 3 * 86_400_000 - 1)));
    assert!(email().is_expired(at(1000 + 3 * 86_400_000)));
}

#[test]
fn time_never_goes_back() {
    assert_eq!(email().claimed("c".into(), at(1)).updated_at, at(1000));
}

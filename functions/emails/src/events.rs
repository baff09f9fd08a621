//! What the table's writes mean to other services. Pure: no AWS, no clock.

use shop_events::{EmailFailed, EmailFailure, EmailSent, EmailTemplate, Event, EventData};
use shop_messaging::relay::{Image, ImageError};

use crate::email::{Email, Reason, Status};

/// The events of one write: `email.sent` where it is known for the first time that SES has taken the mail (and
/// `email.confirmation_sent` where it is an order's confirmation), and `email.failed` where it failed or came back.
/// Whatever waits or is skipped publishes nothing.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
    let Some(new) = new else { return Ok(Vec::new()) };
    let email: Email = new.read("email")?;
    let before: Option<Email> = old.map(|old| old.read("email")).transpose()?;
    let mut data = Vec::new();
    let was_sent = before.as_ref().is_some_and(|before| before.sent_at.is_some());
    if email.sent_at.is_some() && !was_sent {
        data.push(EventData::EmailSent(sent(&email)));
        if email.template == EmailTemplate::OrderConfirmation {
            data.push(EventData::EmailConfirmationSent(sent(&email)));
        }
    }
    if before.is_none_or(|before| before.status != email.status)
        && let Some(reason) = failure(&email)
    {
        data.push(EventData::EmailFailed(EmailFailed {
            email_id: email.id.clone(),
            template: email.template,
            order_id: email.order_id.clone(),
            user_id: email.user_id.clone(),
            reason,
        }));
    }
    let event = |data| Event::new(data, email.version, email.updated_at, email.cause.clone());
    Ok(data.into_iter().map(event).collect())
}

fn sent(email: &Email) -> EmailSent {
    EmailSent {
        email_id: email.id.clone(),
        template: email.template,
        order_id: email.order_id.clone(),
        user_id: email.user_id.clone(),
        // SES's word may come of a message before the count of its attempt is known to be stored.
        attempt: email.attempt.max(1),
    }
}

fn failure(email: &Email) -> Option<EmailFailure> {
    match (email.status, email.reason) {
        (Status::Failed, Some(Reason::Expired)) => Some(EmailFailure::Expired),
        (Status::Failed, _) => Some(EmailFailure::Rejected),
        (Status::Bounced, Some(Reason::Suppressed)) => Some(EmailFailure::Suppressed),
        (Status::Bounced, _) => Some(EmailFailure::Bounced),
        (Status::Complained, _) => Some(EmailFailure::Complained),
        (Status::Queued | Status::Sending | Status::Sent | Status::Skipped, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use shop_events::EventType;
    use shop_types::Timestamp;

    use super::*;
    use crate::email::tests::email;
    use crate::feedback::{Fate, Feedback};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn published(old: Option<&Email>, new: &Email) -> Vec<EventType> {
        let image = |email: &Email| Image::of("email", email).unwrap();
        let events = events(old.map(image).as_ref(), Some(&image(new))).unwrap();
        for event in &events {
            assert_eq!((event.time(), event.cause()), (new.updated_at, &new.cause));
            assert_eq!(event.version(), new.version);
        }
        events.iter().map(Event::event_type).collect()
    }

    /// What SES tells of the mail.
    fn word(fate: Fate) -> Feedback {
        Feedback { id: "m".into(), fate, email: Some(email().id), message_id: "m".into(), sent_at: at(2000) }
    }

    #[test]
    fn a_mail_tells_once_that_it_was_sent_and_once_that_it_failed() {
        let sending = email().claimed("c".into(), at(2000));
        let sent = sending.sent("m".into(), at(3000));
        let bounced = sent.noted(&word(Fate::Bounced(Reason::Permanent)), at(4000)).unwrap();
        let complained = bounced.noted(&word(Fate::Complained), at(5000)).unwrap();
        let both = [EventType::EmailSent, EventType::EmailConfirmationSent];
        assert_eq!(published(None, &sending), []);
        assert_eq!(published(Some(&sending), &sent), both);
        assert_eq!(published(Some(&sent), &bounced), [EventType::EmailFailed]);
        assert_eq!(published(Some(&bounced), &complained), [EventType::EmailFailed]);
        assert_eq!(published(Some(&sent), &sent), []);
        // SES's word of a bounce was faster than that of the sending.
        let at_once = sending.noted(&word(Fate::Bounced(Reason::Suppressed)), at(3000)).unwrap();
        let all = [EventType::EmailSent, EventType::EmailConfirmationSent, EventType::EmailFailed];
        assert_eq!(published(Some(&sending), &at_once), all);
        let waiting = sending.put_back(Reason::Throttled, at(3000));
        assert_eq!(published(Some(&sending), &waiting), []);
        assert_eq!(published(None, &email().skipped(Reason::NoSender, at(3000))), []);
        assert_eq!(
            published(Some(&waiting), &waiting.failed(Reason::Expired, at(9000))),
            [EventType::EmailFailed]
        );
    }

    #[test]
    fn what_ses_rejects_before_it_says_that_it_was_sent_is_never_told_as_sent() {
        let sending = email().claimed("c".into(), at(2000));
        let rejected = sending.noted(&word(Fate::Rejected), at(3000)).unwrap();
        assert_eq!(published(Some(&sending), &rejected), [EventType::EmailFailed]);
        assert_eq!((rejected.sent_at, rejected.noted(&word(Fate::Sent), at(4000))), (None, None));
        // What it was told to have failed of already is not told again.
        let expired = sending.failed(Reason::Expired, at(2500));
        let rejected = expired.noted(&word(Fate::Rejected), at(3000)).unwrap();
        assert_eq!(published(Some(&expired), &rejected), []);
        assert_eq!(rejected.noted(&word(Fate::Sent), at(4000)), None);
    }

    #[test]
    fn only_a_confirmation_is_told_as_one() {
        let mut sending = email().claimed("c".into(), at(2000));
        sending.template = EmailTemplate::OrderShipment;
        assert_eq!(published(Some(&sending), &sending.sent("m".into(), at(3000))), [EventType::EmailSent]);
    }

    #[test]
    fn the_fixture_tells_of_one_mail() {
        let fixture = include_str!("../../../events/publish-email-events.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
        let image = |image: &serde_json::Value| Option::<Image>::deserialize(image).unwrap();
        let published = fixture["Records"].as_array().unwrap().iter().flat_map(|record| {
            let change = &record["dynamodb"];
            events(image(&change["OldImage"]).as_ref(), image(&change["NewImage"]).as_ref()).unwrap()
        });
        let types: Vec<_> = published.map(|event| event.event_type()).collect();
        assert_eq!(types, [EventType::EmailSent, EventType::EmailConfirmationSent]);
    }
}

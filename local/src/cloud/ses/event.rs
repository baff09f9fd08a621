//! The events of a message, as a configuration set publishes them
//! (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>).

use serde_json::{Map, Value, json};
use shop_types::Timestamp;

use super::SentMail;
use super::account::{Fate, domain_of};
use crate::cloud::random::Random;
use crate::template::{ACCOUNT, REGION};

/// The events of a message in their order, each with the type by which an event destination names it.
pub(super) fn of(
    mail: &SentMail,
    sender: &str,
    set: Option<&str>,
    fates: &[Fate],
    random: &Random,
) -> Vec<(&'static str, Value)> {
    let of_mail = of_mail(mail, sender, set);
    let time = Timestamp::from_millis(mail.time).to_string();
    let feedback_id = || format!("0100{}-{}-000000", &random.hex()[..12], random.uuid());
    let mut events = vec![("send", json!({ "eventType": "Send", "mail": of_mail, "send": {} }))];
    for (to, fate) in mail.to.iter().zip(fates) {
        let delivery = json!({
            "timestamp": time, "processingTimeMillis": 500, "recipients": [to],
            "smtpResponse": "250 2.6.0 Message received", "reportingMTA": "a8-53.smtp-out.amazonses.com",
        });
        let bounce = |kind: &str, subtype: &str, answer: &str| {
            json!({
                "bounceType": kind, "bounceSubType": subtype,
                "bouncedRecipients":
                    [{ "emailAddress": to, "action": "failed", "status": "5.1.1", "diagnosticCode": answer }],
                "timestamp": time, "feedbackId": feedback_id(), "reportingMTA": "dns; amazonses.com",
            })
        };
        let delivered =
            ("delivery", json!({ "eventType": "Delivery", "mail": of_mail, "delivery": delivery }));
        match fate {
            Fate::Delivered => events.push(delivered),
            Fate::Bounced => {
                let bounce = bounce("Permanent", "General", "smtp; 550 5.1.1 user unknown");
                events.push(("bounce", json!({ "eventType": "Bounce", "mail": of_mail, "bounce": bounce })));
            }
            Fate::Suppressed { by } => {
                let answer = "Amazon SES did not send the message to this address because it is on a suppression list.";
                let bounce = bounce("Permanent", by, answer);
                events.push(("bounce", json!({ "eventType": "Bounce", "mail": of_mail, "bounce": bounce })));
            }
            Fate::Complained => {
                let complaint = json!({
                    "complainedRecipients": [{ "emailAddress": to }], "timestamp": time,
                    "feedbackId": feedback_id(), "complaintSubType": null, "userAgent": "Amazon SES Mailbox Simulator",
                    "complaintFeedbackType": "abuse", "arrivalDate": time,
                });
                events.push(delivered);
                let complained = json!({ "eventType": "Complaint", "mail": of_mail, "complaint": complaint });
                events.push(("complaint", complained));
            }
        }
    }
    events
}

fn of_mail(mail: &SentMail, sender: &str, set: Option<&str>) -> Value {
    let own = [("From", &mail.from), ("Subject", &mail.subject)]
        .map(|(name, value)| (name.to_owned(), value.clone()));
    let to = ("To".to_owned(), mail.to.join(", "));
    let headers = own.into_iter().chain([to]).chain(mail.headers.iter().cloned());
    let headers: Vec<_> = headers.map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut tags: Map<String, Value> =
        mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    tags.insert("ses:from-domain".to_owned(), json!([domain_of(sender)]));
    if let Some(set) = set {
        tags.insert("ses:configuration-set".to_owned(), json!([set]));
    }
    json!({
        "timestamp": Timestamp::from_millis(mail.time).to_string(),
        "source": mail.from,
        "sourceArn": format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/{sender}"),
        "sendingAccountId": ACCOUNT,
        "messageId": mail.message_id,
        "destination": mail.to,
        "headersTruncated": false,
        "headers": headers,
        "commonHeaders":
            { "from": [mail.from], "to": mail.to, "messageId": mail.message_id, "subject": mail.subject },
        "tags": tags,
    })
}

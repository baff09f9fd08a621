//! What SES says afterwards: bounces, complaints, and what is none of it.

use anyhow::{Result, ensure};
use serde_json::json;
use service_tests::simulate;
use shop_events::OrderStatus;

use super::stage::{GUEST, Mood, Order, Stage};

#[test]
fn what_comes_back_is_noted_and_told_once() -> Result<()> {
    simulate(async {
        let stage = Stage::sending(|options| options.deliver_twice = true, &[]).await?;
        for (local, status, reason) in [
            ("bounce", "bounced", json!("permanent")),
            ("suppressionlist", "bounced", json!("suppressed")),
            ("complaint", "complained", json!(null)),
            ("success", "sent", json!(null)),
        ] {
            let order = Order::of(None, local)?;
            let address = format!("{local}@simulator.amazonses.com");
            stage.store(&order, OrderStatus::Shipped, Some(&address)).await?;
            stage.send(&[order.event(OrderStatus::Shipped)]).await?;
            stage.service.settled().await?;
            let email = stage.email(&order).await?;
            ensure!(email["status"] == status && email["reason"] == reason, "{local}: {email}");
            ensure!(email["sent_at"].is_string(), "{email}");
        }
        let told = stage.told()?;
        let count = |kind: &str| told.iter().filter(|told| *told == kind).count();
        ensure!((count("email.sent"), count("email.failed")) == (4, 3), "{told:?}");
        stage.holds_no_address().await
    })
}

/// Two words of one message come in any order.
#[test]
fn a_rejection_that_comes_before_the_word_that_it_was_sent_is_the_end() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.ses.is(Mood::LosesAnswers);
        stage.ses.loses_events(true);
        stage.send(&[event]).await?;
        stage.service.settled().await?;
        stage.ses.loses_events(false);
        let email = stage.email(&order).await?;
        ensure!(email["status"] == "sending", "{email}");
        let word = |kind: &str| {
            let tags = json!({ "email": [email["id"]], "attempt": ["1"] });
            let mail = json!({ "messageId": "m", "timestamp": "2026-11-23T15:00:02.000Z", "tags": tags });
            json!({ "eventType": kind, "mail": mail, "reject": { "reason": "Bad content" }, "send": {} })
        };
        for kind in ["Reject", "Send"] {
            stage.service.send_bodies("NoteEmailFeedbackQueue", &[&word(kind).to_string()]).await?;
            stage.service.settled().await?;
            let email = stage.email(&order).await?;
            ensure!(email["status"] == "failed" && email["reason"] == "rejected", "{kind}: {email}");
            ensure!(email["sent_at"].is_null(), "{kind}: {email}");
        }
        ensure!(stage.told()? == ["email.failed"], "{:?}", stage.told()?);
        Ok(())
    })
}

#[test]
fn the_greeting_and_messages_of_others_are_dropped_and_rubbish_is_parked() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.send(&[event]).await?;
        stage.service.settled().await?;
        let before = stage.email(&order).await?;
        let mail =
            json!({ "messageId": "m", "timestamp": "2026-11-23T15:00:02.000Z", "destination": [GUEST] });
        let others = json!({ "eventType": "Bounce", "mail": mail, "bounce": { "bounceType": "Permanent" } });
        let mut unknown = others.clone();
        unknown["mail"]["tags"] = json!({ "email": ["email_0000000000000000000000000a"] });
        let greeting = "Successfully validated SNS topic for Amazon SES event publishing.";
        let bodies = [greeting.to_owned(), others.to_string(), unknown.to_string()];
        let bodies: Vec<_> = bodies.iter().map(String::as_str).collect();
        stage.service.send_bodies("NoteEmailFeedbackQueue", &bodies).await?;
        stage.service.settled().await?;
        ensure!(stage.service.depth("NoteEmailFeedbackDeadLetterQueue") == 0);
        stage.service.send_bodies("NoteEmailFeedbackQueue", &["{", "{\"eventType\":\"Send\"}"]).await?;
        stage.service.settled().await?;
        ensure!(stage.service.depth("NoteEmailFeedbackDeadLetterQueue") == 2);
        ensure!(stage.email(&order).await? == before);
        Ok(())
    })
}

#[test]
fn the_fixtures_are_handled() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for function in ["send-email", "note-email-feedback"] {
            let answer = stage.service.invoke_fixture(function).await?;
            ensure!(answer == json!({ "batchItemFailures": [] }), "{function}: {answer}");
        }
        let answer = stage.service.invoke_fixture("resend-emails").await?;
        ensure!(answer["due"] == 0 && answer["failed"] == 0, "{answer}");
        let answer = stage.service.invoke_fixture("list-emails").await?;
        ensure!(answer["statusCode"] == 200, "{answer}");
        Ok(())
    })
}

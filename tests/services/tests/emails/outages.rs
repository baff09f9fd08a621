//! When SES refuses, is silent, or takes what nobody hears of: no mail is lost, and none is sent twice but where SES's word
//! is lost too.

use std::time::Duration;

use anyhow::{Result, ensure};
use service_tests::simulate;
use shop_local::cloud::{AwsError, MailAccount};

use super::stage::{Mood, Stage, throttled};

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_lost_answer_is_settled_by_what_ses_says() -> Result<()> {
    simulate(async {
        for mood in [Mood::LosesAnswers, Mood::Kills] {
            let stage = Stage::new().await?;
            let (order, event) = stage.confirmed("order").await?;
            stage.ses.is(mood);
            stage.send(&[event]).await?;
            stage.service.pass(2 * MINUTE).await;
            ensure!(stage.email(&order).await?["status"] == "sent");
            stage.ses.is(Mood::Well);
            stage.service.pass(30 * MINUTE).await;
            ensure!(stage.mailbox().len() == 1 && stage.ses.calls() == 1, "{}", stage.ses.calls());
            ensure!(stage.told()? == ["email.sent", "email.confirmation_sent"]);
        }
        Ok(())
    })
}

#[test]
fn a_mail_of_which_nobody_knows_is_sent_again_after_ten_minutes_and_not_before() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.ses.is(Mood::LosesAnswers);
        stage.ses.loses_events(true);
        stage.send(&[event]).await?;
        stage.service.settled().await?;
        ensure!(stage.email(&order).await?["status"] == "sending");
        stage.ses.is(Mood::Well);
        stage.service.pass(9 * MINUTE).await;
        ensure!(stage.mailbox().len() == 1, "too early");
        stage.service.pass(4 * MINUTE).await;
        let mailbox = stage.mailbox();
        let attempts: Vec<_> = mailbox.iter().map(|mail| mail.tags["attempt"].as_str()).collect();
        ensure!(attempts == ["1", "2"], "{attempts:?}");
        let email = stage.email(&order).await?;
        ensure!(email["status"] == "sent" && email["attempts"] == 2, "{email}");
        Ok(())
    })
}

#[test]
fn a_message_that_was_not_taken_is_sent_once_when_ses_answers_again() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.ses.is(Mood::Silent);
        stage.send(&[event]).await?;
        stage.service.pass(MINUTE).await;
        ensure!(stage.email(&order).await?["status"] == "sending" && stage.ses.calls() == 1);
        stage.ses.is(Mood::Well);
        stage.service.pass(13 * MINUTE).await;
        ensure!(stage.mailbox().len() == 1 && stage.email(&order).await?["status"] == "sent");
        Ok(())
    })
}

#[test]
fn an_hour_without_ses_costs_no_mail_and_no_message() -> Result<()> {
    simulate(async {
        let down = AwsError::service("InternalServiceErrorException", "down").with_status(503);
        let unverified = "Email address is not verified. The following identities failed the check in region \
                          US-EAST-1: mail@shop.example";
        let moods = [
            Mood::Refuses(throttled()),
            Mood::Refuses(down),
            Mood::Refuses(AwsError::client("MessageRejected", unverified)),
            Mood::Refuses(AwsError::client("SendingPausedException", "paused")),
            Mood::Silent,
        ];
        for mood in moods {
            let stage = Stage::new().await?;
            stage.ses.is(mood.clone());
            let mut orders = Vec::new();
            for number in 0..5 {
                let (order, event) = stage.confirmed(&number.to_string()).await?;
                stage.send(&[event]).await?;
                orders.push(order);
                stage.service.pass(12 * MINUTE).await;
            }
            ensure!(stage.mailbox().is_empty());
            stage.ses.is(Mood::Well);
            stage.service.pass(15 * MINUTE).await;
            for order in &orders {
                let email = stage.email(order).await?;
                ensure!(email["status"] == "sent", "{mood:?}: {email}");
            }
            ensure!(stage.mailbox().len() == orders.len(), "{mood:?}: {}", stage.mailbox().len());
            ensure!(stage.service.depth("SendEmailDeadLetterQueue") == 0, "{mood:?}");
            ensure!(stage.service.depth("SendEmailQueue") == 0, "{mood:?}");
        }
        Ok(())
    })
}

/// Dead letters are grouped by it: what somebody has to put right is told from what is over by itself.
#[test]
fn what_keeps_ses_from_taking_a_mail_is_the_failure_of_its_message() -> Result<()> {
    simulate(async {
        let moods = [
            (throttled(), "ses_throttled"),
            (AwsError::client("SendingPausedException", "paused"), "ses_suspended"),
            (AwsError::client("MailFromDomainNotVerifiedException", "no"), "ses_sender_not_verified"),
            (AwsError::client("AccessDeniedException", "no"), "ses_not_allowed"),
        ];
        for (error, code) in moods {
            let stage = Stage::new().await?;
            stage.ses.is(Mood::Refuses(error));
            let (_, event) = stage.confirmed("order").await?;
            stage.send(&[event]).await?;
            stage.service.pass(MINUTE).await;
            let receipts = stage.service.take_bodies("JournalQueue").await?;
            let told = receipts.iter().any(|receipt| receipt.contains(&format!("\"{code}\"")));
            ensure!(told, "{code}: {receipts:?}");
        }
        Ok(())
    })
}

#[test]
fn a_mail_that_nobody_can_send_for_days_fails_and_is_told() -> Result<()> {
    simulate(async {
        let nobody = MailAccount { verified: Some([].into()), ..MailAccount::default() };
        let stage = Stage::sending(|options| options.mail = nobody, &[]).await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.send(&[event]).await?;
        stage.service.pass(MINUTE).await;
        let email = stage.email(&order).await?;
        ensure!(email["status"] == "queued" && email["reason"] == "sender_not_verified", "{email}");
        stage.service.pass(Duration::from_hours(73)).await;
        let email = stage.email(&order).await?;
        ensure!(email["status"] == "failed" && email["reason"] == "expired", "{email}");
        ensure!(stage.told()? == ["email.failed"]);
        Ok(())
    })
}

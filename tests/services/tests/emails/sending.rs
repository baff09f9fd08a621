//! What is sent: one mail of each kind to whom it concerns, and nothing else.

use anyhow::{Result, ensure};
use serde_json::json;
use service_tests::simulate;
use shop_events::OrderStatus;
use shop_local::cloud::MailAccount;

use super::stage::{ADA, ADDRESS, GUEST, Order, Stage};

#[test]
fn each_event_is_one_mail_to_whom_it_concerns() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        stage.register("Ada <b>", Some(ADDRESS)).await?;
        for (status, title) in [
            (OrderStatus::Confirmed, "is confirmed"),
            (OrderStatus::Rejected, "We cannot deliver"),
            (OrderStatus::Cancelled, "is cancelled"),
            (OrderStatus::Shipped, "is on its way"),
        ] {
            for (customer, to) in [(Some(ADA), ADDRESS), (None, GUEST)] {
                let order = Order::of(customer, &format!("{title}{to}"))?;
                let address = customer.is_none().then_some(GUEST);
                stage.store(&order, status, address).await?;
                stage.send(&[order.event(status)]).await?;
                stage.service.settled().await?;
                let mailbox = stage.mailbox();
                let mail = mailbox.last().unwrap();
                ensure!(mail.to == [to] && mail.subject.contains(title), "{:?} {}", mail.to, mail.subject);
                ensure!(mail.subject.contains(order.id.as_str()), "{}", mail.subject);
                let (text, html) = (mail.text.clone().unwrap(), mail.html.clone().unwrap());
                ensure!(text.contains("59.98 USD") && html.contains("59.98 USD"), "{text}");
                ensure!(text.contains("Ada <b>") == customer.is_some() && !html.contains("<b>"), "{html}");
                ensure!(mail.headers == [("Auto-Submitted".to_owned(), "auto-generated".to_owned())]);
                let email = stage.email(&order).await?;
                ensure!(email["status"] == "sent" && email["attempts"] == 1, "{email}");
                ensure!(email["message_id"] == json!(mail.message_id), "{email}");
            }
        }
        stage.send(&[Stage::registered()?]).await?;
        stage.service.settled().await?;
        ensure!(stage.mailbox().last().unwrap().subject == "Welcome to The shop");
        ensure!(stage.mailbox().len() == 9);
        let told = stage.told()?;
        let count = |kind: &str| told.iter().filter(|told| *told == kind).count();
        ensure!(
            (count("email.sent"), count("email.confirmation_sent"), told.len()) == (9, 2, 11),
            "{told:?}"
        );
        stage.holds_no_address().await
    })
}

#[test]
fn an_event_that_comes_again_sends_nothing() -> Result<()> {
    simulate(async {
        let stage = Stage::sending(|options| options.deliver_twice = true, &[]).await?;
        let (order, event) = stage.confirmed("order").await?;
        for _ in 0..3 {
            stage.send(&[event.clone(), event.clone()]).await?;
        }
        stage.service.settled().await?;
        stage.send(&[event]).await?;
        stage.service.settled().await?;
        ensure!(stage.mailbox().len() == 1, "{}", stage.mailbox().len());
        ensure!(stage.email(&order).await?["attempts"] == 1);
        Ok(())
    })
}

#[test]
fn a_shop_without_a_sender_calls_nobody() -> Result<()> {
    simulate(async {
        let stage = Stage::bare().await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.send(&[event]).await?;
        stage.service.settled().await?;
        let email = stage.email(&order).await?;
        ensure!((&email["status"], &email["reason"]) == (&json!("skipped"), &json!("no_sender")), "{email}");
        ensure!(stage.ses.calls() == 0 && stage.told()?.is_empty());
        Ok(())
    })
}

#[test]
fn mails_are_left_out_that_are_switched_off_overtaken_or_to_nobody() -> Result<()> {
    simulate(async {
        let off = (
            "EmailsSwitchedOff:\n    Type: String\n    Default: \"\"",
            "EmailsSwitchedOff:\n    Type: String\n    Default: \"welcome,order_shipment\"",
        );
        let stage = Stage::sending(|_| {}, &[off]).await?;
        let expect = async |order: &Order, status: OrderStatus, reason: &str| -> Result<()> {
            stage.send(&[order.event(status)]).await?;
            stage.service.settled().await?;
            let email = stage.email(order).await?;
            ensure!(email["status"] == "skipped" && email["reason"] == reason, "{reason}: {email}");
            Ok(())
        };
        let shipped = Order::of(None, "shipped")?;
        stage.store(&shipped, OrderStatus::Shipped, Some(GUEST)).await?;
        expect(&shipped, OrderStatus::Shipped, "switched_off").await?;
        let overtaken = Order::of(None, "overtaken")?;
        stage.store(&overtaken, OrderStatus::Cancelled, Some(GUEST)).await?;
        expect(&overtaken, OrderStatus::Confirmed, "overtaken").await?;
        let nobody = Order::of(None, "nobody")?;
        stage.store(&nobody, OrderStatus::Confirmed, None).await?;
        expect(&nobody, OrderStatus::Confirmed, "no_address").await?;
        stage.register("", None).await?;
        let deleted = Order::of(Some(ADA), "deleted")?;
        stage.store(&deleted, OrderStatus::Confirmed, None).await?;
        expect(&deleted, OrderStatus::Confirmed, "erased").await?;
        expect(&Order::of(None, "gone")?, OrderStatus::Confirmed, "erased").await?;
        ensure!(stage.ses.calls() == 0);
        // The cancellation that overtook it is told all the same.
        stage.send(&[overtaken.event(OrderStatus::Cancelled)]).await?;
        stage.service.settled().await?;
        ensure!(stage.mailbox().len() == 1 && stage.mailbox()[0].subject.contains("is cancelled"));
        Ok(())
    })
}

#[test]
fn what_ses_refuses_for_good_has_failed_and_is_told() -> Result<()> {
    simulate(async {
        let account = MailAccount { in_sandbox: true, ..MailAccount::default() };
        let stage = Stage::sending(|options| options.mail = account, &[]).await?;
        let (order, event) = stage.confirmed("order").await?;
        stage.send(&[event]).await?;
        stage.service.settled().await?;
        let email = stage.email(&order).await?;
        ensure!(email["status"] == "failed" && email["reason"] == "recipient_not_verified", "{email}");
        ensure!(stage.told()? == ["email.failed"] && stage.ses.calls() == 1);
        ensure!(stage.service.depth("SendEmailDeadLetterQueue") == 0);
        Ok(())
    })
}

//! SES: what it takes, and what it refuses.

use anyhow::{Context, Result, ensure};
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};

use crate::answers::{refused, taken};
use crate::target::{SENDER, Target};

fn mail(on: &Target, from: &str, to: &[&str]) -> Result<SendEmailFluentBuilder> {
    let text = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let body = Body::builder().text(text("Grüße")?).html(text("<p>Grüße")?).build();
    let header = MessageHeader::builder().name("Auto-Submitted").value("auto-generated").build()?;
    let message = Message::builder().subject(text("Grüße")?).body(body).headers(header).build();
    let destination =
        Destination::builder().set_to_addresses(Some(to.iter().map(|to| (*to).to_owned()).collect()));
    Ok(on
        .ses
        .send_email()
        .from_email_address(from)
        .destination(destination.build())
        .content(EmailContent::builder().simple(message).build())
        .email_tags(MessageTag::builder().name("attempt").value("1").build()?))
}

pub(super) async fn each_mail_has_an_id_of_its_own(on: &Target) -> Result<()> {
    let mut ids = Vec::new();
    for from in [SENDER.to_owned(), format!("The shop <{SENDER}>")] {
        let answer = taken(mail(on, &from, &["success@simulator.amazonses.com"])?.send().await)?;
        ids.push(answer.message_id.context("a message id")?);
    }
    ensure!(ids[0] != ids[1], "the same mail again is the same message");
    Ok(())
}

pub(super) async fn a_sender_must_be_verified(on: &Target) -> Result<()> {
    let answer = mail(on, "somebody@unverified.example", &["success@simulator.amazonses.com"])?.send().await;
    refused(answer, "MessageRejected")
}

pub(super) async fn a_mail_has_a_recipient(on: &Target) -> Result<()> {
    refused(mail(on, SENDER, &[])?.send().await, "BadRequestException")
}

pub(super) async fn a_configuration_set_must_be_there(on: &Target) -> Result<()> {
    let mail =
        mail(on, SENDER, &["success@simulator.amazonses.com"])?.configuration_set_name("there-is-none");
    refused(mail.send().await, "NotFoundException")
}

pub(super) async fn a_tag_is_a_word(on: &Target) -> Result<()> {
    let tag = MessageTag::builder().name("order").value("no word: ä").build()?;
    let mail = mail(on, SENDER, &["success@simulator.amazonses.com"])?.email_tags(tag);
    refused(mail.send().await, "BadRequestException")
}

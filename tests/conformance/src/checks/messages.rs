//! Messages in queues as the checks send and receive them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};

use crate::answers::taken;
use crate::target::Target;
use crate::wait::{self, Look};

pub(super) fn body(message: &Message) -> &str {
    message.body().unwrap_or_default()
}

pub(super) fn receipt(message: &Message) -> Result<&str> {
    message.receipt_handle().context("a message without a receipt handle")
}

impl Target {
    /// Sends a message; gives its id.
    pub(super) async fn send(&self, queue: &str, body: impl Into<String>) -> Result<String> {
        let send = self.sqs.send_message().queue_url(self.name(queue)?).message_body(body);
        taken(send.send().await)?.message_id.context("a message id")
    }

    /// One reception of up to ten messages with all that they have. It does not wait: whoever awaits a message looks
    /// again.
    pub(super) fn reception(&self, queue: &str) -> Result<ReceiveMessageFluentBuilder> {
        let receive = self.sqs.receive_message().queue_url(self.name(queue)?).max_number_of_messages(10);
        let receive = receive.message_attribute_names("All");
        Ok(receive.message_system_attribute_names(MessageSystemAttributeName::All))
    }

    /// Receives the one message that is there.
    pub(super) async fn receive_one(&self, queue: &str) -> Result<Message> {
        self.receive_with(queue, |receive| receive).await
    }

    /// Receives one message by receptions that are changed so.
    pub(super) async fn receive_with(
        &self,
        queue: &str,
        changed: impl Fn(ReceiveMessageFluentBuilder) -> ReceiveMessageFluentBuilder,
    ) -> Result<Message> {
        let mut messages = wait::until("a message", async || {
            let messages = taken(changed(self.reception(queue)?).send().await)?.messages.unwrap_or_default();
            Ok(if messages.is_empty() { Look::NotYet("none".to_owned()) } else { Look::Done(messages) })
        })
        .await?;
        anyhow::ensure!(messages.len() == 1, "received are {messages:?}");
        messages.pop().context("a message")
    }

    /// What one look finds in a queue that should have nothing to receive.
    pub(super) async fn bodies_now(&self, queue: &str) -> Result<Vec<String>> {
        let answer = self.reception(queue)?.send().await;
        Ok(taken(answer)?.messages().iter().map(|message| body(message).to_owned()).collect())
    }

    /// Takes messages until all these bodies have come; gives every body that came.
    pub(super) async fn take_until(&self, queue: &str, awaited: &[&str]) -> Result<BTreeSet<String>> {
        let mut came = BTreeSet::new();
        wait::until("the messages", async || {
            for message in taken(self.reception(queue)?.send().await)?.messages.unwrap_or_default() {
                let delete = self.sqs.delete_message().queue_url(self.name(queue)?);
                taken(delete.receipt_handle(receipt(&message)?).send().await)?;
                came.insert(body(&message).to_owned());
            }
            let all = awaited.iter().all(|body| came.contains(*body));
            Ok(if all { Look::Done(()) } else { Look::NotYet(format!("{came:?}")) })
        })
        .await?;
        Ok(came)
    }
}

//! The dead-letter queue of poison records: a queue that nobody consumes, with an alarm on its depth.

use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::send_message::SendMessageError;
use aws_sdk_sqs::types::MessageAttributeValue;
use serde_json::value::RawValue;

use crate::safe_text::queue_safe;

/// The relay's dead-letter queue.
pub(super) struct DeadLetters {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

impl DeadLetters {
    pub(super) fn new(sdk: &aws_types::SdkConfig, queue_url: &str) -> Self {
        Self { client: aws_sdk_sqs::Client::new(sdk), queue_url: queue_url.to_owned() }
    }

    /// Sends a record as it came, with the reason as a message attribute.
    pub(super) async fn send(
        &self,
        record: &RawValue,
        reason: &'static str,
    ) -> Result<(), SdkError<SendMessageError>> {
        let reason = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(reason)
            .build()
            .map_err(SdkError::construction_failure)?;
        self.client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(queue_safe(record.get().to_owned()))
            .message_attributes("reason", reason)
            .send()
            .await?;
        Ok(())
    }
}

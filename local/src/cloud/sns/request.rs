//! The one operation of SNS that the shop calls: `PublishBatch`.

use std::collections::BTreeSet;

use super::query::{Form, response};
use super::{Publication, Topics};
use crate::cloud::AwsError;
use crate::cloud::observer::{Access, Units};
use crate::cloud::sqs::Queues;
use crate::cloud::xml::{element, elements};

const OPERATION: &str = "PublishBatch";
/// The most entries of a batch.
const MAX_ENTRIES: usize = 10;
/// The most bytes of all messages of a batch.
const MAX_BYTES: usize = 262_144;
/// A subject must be shorter.
const MAX_SUBJECT: usize = 100;
/// What SNS bills as one request.
const BILLED_BYTES: usize = 65_536;

/// Whether SNS takes a text for a subject: ASCII of one line that begins with a letter, a digit or a sign, and of
/// fewer than 100 characters. Only mails have one, and nobody gets any here.
fn is_subject(text: &str) -> bool {
    let is_line = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    is_line && text.len() < MAX_SUBJECT && text.bytes().next().is_some_and(|byte| byte.is_ascii_graphic())
}

#[derive(Debug)]
pub(in crate::cloud) struct Request {
    /// The physical name of the topic.
    topic: String,
    /// The publications, each with the id of its entry.
    entries: Vec<(String, Publication)>,
}

impl Request {
    pub(in crate::cloud) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        let mut form = Form::parse(body);
        let action = form.take("Action").unwrap_or_default();
        if action != OPERATION {
            return Err(AwsError::client("InvalidAction", format!("{action} is not known here")));
        }
        form.take("Version");
        let arn = form.required("TopicArn")?;
        let topic = arn.rsplit(':').next().unwrap_or_default().to_owned();
        let mut entries = Vec::new();
        for number in 1.. {
            let entry = format!("PublishBatchRequestEntries.member.{number}.");
            if !form.has(&entry) {
                break;
            }
            let subject = form.take(&format!("{entry}Subject"));
            if subject.as_deref().is_some_and(|subject| !is_subject(subject)) {
                return Err(AwsError::client("InvalidParameter", "Invalid parameter: Subject"));
            }
            let publication = Publication {
                message: form.required(&format!("{entry}Message"))?,
                attributes: form.attributes(&entry)?,
            };
            entries.push((form.required(&format!("{entry}Id"))?, publication));
        }
        // What an empty list is written as.
        form.take("PublishBatchRequestEntries");
        form.finish()?;
        let request = Self { topic, entries };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), AwsError> {
        if self.entries.is_empty() {
            let message = "The batch request doesn't contain any entries.";
            return Err(AwsError::client("EmptyBatchRequest", message));
        }
        if self.entries.len() > MAX_ENTRIES {
            let message = "The batch request contains more entries than permissible.";
            return Err(AwsError::client("TooManyEntriesInBatchRequest", message));
        }
        let ids: BTreeSet<&str> = self.entries.iter().map(|(id, _)| id.as_str()).collect();
        if ids.len() < self.entries.len() {
            let message = "Two or more batch entries in the request have the same Id.";
            return Err(AwsError::client("BatchEntryIdsNotDistinct", message));
        }
        if self.size() > MAX_BYTES {
            let message = "The length of all the batch messages put together is more than the limit.";
            return Err(AwsError::client("BatchRequestTooLong", message));
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.entries.iter().map(|(_, publication)| publication.size()).sum()
    }

    /// The IAM action: a batch needs that of the single call.
    pub(in crate::cloud) fn accesses(&self) -> Vec<Access> {
        vec![Access { action: "sns:Publish".to_owned(), resource: self.topic.clone() }]
    }

    /// What it costs: SNS bills every 64 KB.
    pub(in crate::cloud) fn units(&self) -> Vec<(String, Units)> {
        let requests = u64::try_from(self.size().div_ceil(BILLED_BYTES).max(1)).unwrap_or(u64::MAX);
        vec![(self.topic.clone(), Units { requests, ..Units::default() })]
    }

    /// Runs it, and answers with XML. An interceptor may let entries fail, by their ids.
    pub(in crate::cloud) fn execute(
        self,
        topics: &Topics,
        queues: &Queues,
        fails_entry: &dyn Fn(&str) -> Option<AwsError>,
        request_id: &str,
    ) -> Result<String, AwsError> {
        let (mut ids, mut publications, mut failed) = (Vec::new(), Vec::new(), String::new());
        for (id, publication) in self.entries {
            let empty = AwsError::client("InvalidParameter", "Invalid parameter: Empty message");
            let error = fails_entry(&id).or_else(|| publication.message.is_empty().then_some(empty));
            if let Some(error) = error {
                let sender = if error.status < 500 { "true" } else { "false" };
                let fields = [
                    ("Id", id.as_str()),
                    ("Code", &error.code),
                    ("Message", &error.message),
                    ("SenderFault", sender),
                ];
                failed += &element("member", &elements(&fields));
            } else {
                ids.push(id);
                publications.push(publication);
            }
        }
        let message_ids = topics.publish(&self.topic, publications, queues)?;
        let successful = ids
            .iter()
            .zip(&message_ids)
            .map(|(id, message)| element("member", &elements(&[("Id", id), ("MessageId", message)])));
        let successful = element("Successful", &successful.collect::<String>());
        Ok(response(OPERATION, &(successful + &element("Failed", &failed)), request_id))
    }
}

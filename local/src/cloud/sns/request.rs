//! The operations of SNS.

use std::collections::BTreeSet;

use super::query::{Form, element, elements, response};
use super::{Publication, Topics};
use crate::cloud::AwsError;
use crate::cloud::observer::{Access, Units};
use crate::cloud::sqs::Queues;

/// The most entries of a batch.
const MAX_ENTRIES: usize = 10;
/// The most bytes of a publication, and of a batch of them.
const MAX_BYTES: usize = 262_144;
/// What SNS bills as one request.
const BILLED_BYTES: usize = 65_536;

/// One operation.
#[derive(Debug)]
pub(in crate::cloud) struct Request {
    /// The physical name of the topic.
    topic: String,
    /// The publications, each with the id of its entry in a batch.
    entries: Vec<(String, Publication)>,
    batch: bool,
}

impl Request {
    pub(in crate::cloud) fn parse(body: &[u8]) -> Result<Self, AwsError> {
        let mut form = Form::parse(body);
        let action = form.take("Action").unwrap_or_default();
        let batch = match action.as_str() {
            "Publish" => false,
            "PublishBatch" => true,
            _ => return Err(AwsError::client("InvalidAction", format!("{action} is not known here"))),
        };
        let arn = form.required("TopicArn")?;
        let topic = arn.rsplit(':').next().unwrap_or_default().to_owned();
        let mut entries = Vec::new();
        if batch {
            for number in 1.. {
                let entry = format!("PublishBatchRequestEntries.member.{number}.");
                if !form.has(&entry) {
                    break;
                }
                entries.push((form.required(&format!("{entry}Id"))?, Publication::read(&mut form, &entry)?));
            }
        } else {
            entries.push((String::new(), Publication::read(&mut form, "")?));
        }
        let request = Self { topic, entries, batch };
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
            return Err(if self.batch {
                let message = "The length of all the batch messages put together is more than the limit.";
                AwsError::client("BatchRequestTooLong", message)
            } else {
                AwsError::client("InvalidParameter", "Invalid parameter: Message too long")
            });
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.entries.iter().map(|(_, publication)| publication.size()).sum()
    }

    /// The name of the API operation.
    pub(in crate::cloud) fn operation(&self) -> &'static str {
        if self.batch { "PublishBatch" } else { "Publish" }
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

    /// Runs it, and answers with XML.
    pub(in crate::cloud) fn execute(
        self,
        topics: &Topics,
        queues: &Queues,
        fails_entry: &dyn Fn(&str) -> Option<AwsError>,
        request_id: &str,
    ) -> Result<String, AwsError> {
        let operation = self.operation();
        let (mut ids, mut publications, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (id, publication) in self.entries {
            let empty = AwsError::client("InvalidParameter", "Invalid parameter: Empty message");
            let problem = fails_entry(&id).or_else(|| publication.message.is_empty().then_some(empty));
            match problem {
                None => {
                    ids.push(id);
                    publications.push(publication);
                }
                Some(error) if self.batch => {
                    let sender = if error.status < 500 { "true" } else { "false" };
                    let fields = [
                        ("Id", id.as_str()),
                        ("Code", &error.code),
                        ("Message", &error.message),
                        ("SenderFault", sender),
                    ];
                    failed.push(element("member", &elements(&fields)));
                }
                Some(error) => return Err(error),
            }
        }
        let message_ids = topics.publish(&self.topic, publications, queues)?;
        let result = if self.batch {
            let successful = ids
                .iter()
                .zip(&message_ids)
                .map(|(id, message)| element("member", &elements(&[("Id", id), ("MessageId", message)])));
            let successful = successful.collect::<Vec<_>>().concat();
            element("Successful", &successful) + &element("Failed", &failed.concat())
        } else {
            message_ids.first().map(|id| elements(&[("MessageId", id)])).unwrap_or_default()
        };
        Ok(response(operation, &result, request_id))
    }
}

impl Publication {
    fn read(form: &mut Form, prefix: &str) -> Result<Self, AwsError> {
        if form.take(&format!("{prefix}MessageStructure")).is_some() {
            let message = "Invalid parameter: MessageStructure is not known here";
            return Err(AwsError::client("InvalidParameter", message));
        }
        Ok(Self {
            message: form.required(&format!("{prefix}Message"))?,
            subject: form.take(&format!("{prefix}Subject")),
            attributes: form.attributes(prefix)?,
        })
    }
}

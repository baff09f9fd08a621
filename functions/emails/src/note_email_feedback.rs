//! Notes what SES says of the messages that it took: the events of the configuration set, which come by a topic and a queue
//! of their own, in SES's own form.
//!
//! - Retried: failures of DynamoDB.
//! - Dropped: SES's word of messages that carry no mail's id, and of mails that there are not; and what is known.
//! - Deduplicated by the state of the mail: the same word twice, late, or before another that it follows, changes nothing
//!   ([`crate::email`]).

use aws_sdk_dynamodb::Client;
use shop_dynamo::StoreError;
use shop_lambda::{Clock, Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, Consumer, Failure, MessageResult};
use shop_types::EmailId;

use crate::feedback::{Feedback, Word};
use crate::store::{Saved, Store};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each_of::<Word, NoteEmailFeedback>();

/// How often a mail is read anew that others change meanwhile. Its sender changes it once.
const TRIES: usize = 3;

pub(crate) struct NoteEmailFeedback {
    store: Store,
    clock: Clock,
}

impl Start for NoteEmailFeedback {
    const NAME: &'static str = "note-email-feedback";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { store, clock: environment.clock() })
    }
}

impl NoteEmailFeedback {
    /// Whether it is noted, or there is nothing to note.
    async fn note(&self, id: &EmailId, feedback: &Feedback) -> Result<bool, StoreError> {
        let Some(mut email) = self.store.find(id).await? else {
            tracing::warn!(email.id = %id, "SES tells of a mail that there is not");
            return Ok(true);
        };
        for _ in 0..TRIES {
            let Some(noted) = email.noted(feedback, self.clock.now()) else { return Ok(true) };
            match self.store.save(&email, &noted).await? {
                Saved::Done => return Ok(true),
                Saved::Outrun(current) => email = *current,
            }
        }
        Ok(false)
    }
}

impl Consumer<Word> for NoteEmailFeedback {
    async fn consume(&self, word: &Word) -> MessageResult {
        let Word::Of(feedback) = word else { return Ok(()) };
        let Some(id) = &feedback.email else {
            tracing::debug!("SES tells of a message that is none of ours");
            return Ok(());
        };
        match self.note(id, feedback).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::code_only("contended")),
            Err(error) => Err(Failure::new("store_failed", error)),
        }
    }
}

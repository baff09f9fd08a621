//! Work that functions leave to a queue: for another function, or for another run of their own.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shop_lambda::{Environment, StartError};
use shop_types::Timestamp;

use crate::consumer::{Body, Unreadable};
use crate::sender::{NotSent, Sender};

/// After so long a write has been made or has failed: all tries of a call take eight seconds at most.
const BEHIND_THE_WRITE: Duration = Duration::from_secs(15);
/// Whoever is at work on something notes more often how far it is.
const IDLE: Duration = Duration::from_mins(1);

/// A piece of work, whose JSON is the body of its message. A queue holds one kind of it, which is a [`Body`].
pub trait Work: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// What the log calls a body that is none.
    const UNREADABLE: &'static str;

    /// What tells it from all other work of its queue: two messages with the same key are one.
    fn key(&self) -> String;
}

impl<W: Work> Body for W {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(text).map_err(|error| Unreadable {
            code: W::UNREADABLE,
            may_be_newer: false,
            source: error.into(),
        })
    }

    fn id(&self) -> Cow<'_, str> {
        self.key().into()
    }
}

/// A queue of work.
pub struct WorkQueue<W> {
    sender: Sender,
    work: PhantomData<fn(&W)>,
}

impl<W: Work> WorkQueue<W> {
    /// The queue that a variable names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, variable: &str) -> Result<Self, StartError> {
        Ok(Self { sender: Sender::start(environment, variable)?, work: PhantomData })
    }

    /// Sends a piece of work.
    ///
    /// # Errors
    /// It may have been sent.
    pub async fn send(&self, work: &W) -> Result<(), NotSent> {
        self.sender.send(serde_json::to_string(work)?, None).await
    }

    /// Sends for whoever begins with something, before it is written that it is to be begun. Where the write were first,
    /// and its function died behind it, the thing would be called running and nobody would run it.
    ///
    /// The message is received when the write has been made, or has failed: then there is nothing to be done. Mostly
    /// somebody has begun by then, since it is sent for at once behind the write, and the receiver asks
    /// [`somebody_is_at_it`].
    ///
    /// # Errors
    /// It may have been sent. Nothing is to be written then.
    pub async fn send_ahead(&self, work: &W) -> Result<(), NotSent> {
        self.send_later(work, BEHIND_THE_WRITE).await
    }

    /// Lets who was sent for ahead look again, once somebody who is at it now has noted more.
    ///
    /// # Errors
    /// It may have been sent.
    pub async fn look_again(&self, work: &W) -> Result<(), NotSent> {
        self.send_later(work, IDLE).await
    }

    /// Sends a piece of work that nobody begins for so long: whole seconds, 15 minutes at most (SQS refuses more).
    ///
    /// # Errors
    /// It may have been sent.
    pub async fn send_later(&self, work: &W, delay: Duration) -> Result<(), NotSent> {
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        self.sender.send(serde_json::to_string(work)?, Some(seconds)).await
    }

    /// Sends many, in as few calls as may be.
    ///
    /// # Errors
    /// Some may have been sent.
    pub async fn send_all(&self, all: impl IntoIterator<Item = W>) -> Result<(), NotSent> {
        // All are written before the first is sent.
        let bodies: Vec<_> =
            all.into_iter().map(|work| serde_json::to_string(&work)).collect::<Result<_, _>>()?;
        self.sender.send_all(bodies).await
    }
}

/// Whether somebody is at work on something that has been begun, or was a moment ago, by when it was noted last how far it
/// is. Who was sent for ahead leaves it to them then, and [looks again](WorkQueue::look_again): with two it would be done
/// twice, and they may die of it yet.
#[must_use]
pub fn somebody_is_at_it(noted: Timestamp, now: Timestamp) -> bool {
    now.abs_diff(noted) < IDLE
}

impl<W> fmt::Debug for WorkQueue<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WorkQueue").field(&self.sender).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Page {
        book: String,
        number: u32,
    }

    impl Work for Page {
        const UNREADABLE: &'static str = "no_page";

        fn key(&self) -> String {
            format!("{}:{}", self.book, self.number)
        }
    }

    #[test]
    fn what_is_sent_is_read_as_it_was_and_all_else_is_malformed() {
        let page = Page { book: "b".to_owned(), number: 7 };
        let read = Page::parse(&serde_json::to_string(&page).unwrap()).unwrap();
        assert_eq!((read.id(), &read), ("b:7".into(), &page));
        for text in ["", "{}", "null", r#"{"book": "b", "number": -1}"#] {
            let error = Page::parse(text).unwrap_err();
            assert_eq!((error.code, error.may_be_newer), ("no_page", false), "{text}");
        }
    }
}

//! What a message holds: an event of the shop's own, or what another system says in its own form.

use std::borrow::Cow;
use std::error::Error;

use shop_events::Event;
use shop_types::Timestamp;

/// What the body of a message is read as.
pub trait Body: Clone + Send + Sync + Sized + 'static {
    /// Reads a body.
    ///
    /// # Errors
    /// It is none.
    fn parse(text: &str) -> Result<Self, Unreadable>;

    /// What tells it from every other: two messages with the same id are one event.
    fn id(&self) -> Cow<'_, str>;

    /// What the log and the journal say of it, beside its id.
    fn about(&self) -> About<'_> {
        About::default()
    }
}

/// What the log and the journal say of an event: nothing, where a body is none of the shop's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// Whose story it is part of.
    pub story: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The request that started it all.
    pub correlation: Option<&'a str>,
    /// Who made that.
    pub actor: Option<&'a str>,
}

/// Why a body cannot be read.
#[derive(Debug)]
pub struct Unreadable {
    /// A short name for logs.
    pub code: &'static str,
    /// Whether a newer version of the reader may know it, which is perhaps being deployed: then it is tried again.
    pub may_be_newer: bool,
    /// The cause. It is logged only where a newer version may know the body: it may quote it.
    pub source: Box<dyn Error + Send + Sync>,
}

impl Body for Event {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        Self::from_json(text).map_err(|error| Unreadable {
            code: error.code(),
            may_be_newer: error.may_be_newer(),
            source: error.into(),
        })
    }

    fn id(&self) -> Cow<'_, str> {
        self.id().as_str().into()
    }

    fn about(&self) -> About<'_> {
        let cause = self.cause();
        About {
            story: Some(self.story()),
            time: Some(self.time()),
            correlation: Some(&cause.correlation_id),
            actor: cause.actor.as_deref(),
        }
    }
}

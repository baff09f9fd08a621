//! The relay: turns a table's stream into events on the topic.
//!
//! The stream is the outbox. What a write means to others is a pure function of the service,
//! `events(old, new)`; everything else is here:
//!
//! - Records are handled in their order. Where one cannot be published, the batch ends there and Lambda
//!   retries from it. What was published after it is published again with the same event ids.
//! - Of a batch call that fails in part, only what failed is tried again, with growing pauses.
//! - A poison record (unreadable, refused by the topic, or `events` panics) goes as a whole to the
//!   relay's dead-letter queue, and the stream goes on. Only if that fails too does it block its shard.
//!
//! A service implements [`Outbox`]; [`relay`] makes it a function.

mod dead_letters;
mod handler;
mod publisher;
mod record;

use shop_events::Event;
use shop_lambda::{Environment, Function, Handler, Kind, StartError};

pub use record::{Image, ImageError};

use dead_letters::DeadLetters;
use handler::Relay;
use publisher::Publisher;

/// What a write means to others.
type EventsOf<E> = fn(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, E>;

/// A table whose stream tells others what was written.
pub trait Outbox: 'static {
    /// The relay's one name.
    const NAME: &'static str;
    /// Why a record cannot be published.
    type Error: std::error::Error + Send + Sync + 'static;

    /// What a write means to others: from the item before (none: inserted) and after (none: removed, by the
    /// service or by its time to live) to events.
    ///
    /// # Errors
    /// The record is in the relay's dead-letter queue.
    fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, Self::Error>;
}

/// The function of a table's relay. It reads `EVENTS_TOPIC_ARN` and `RELAY_DEAD_LETTER_QUEUE_URL`, and needs
/// `sns:Publish` on the one and `sqs:SendMessage` on the other.
#[must_use]
pub const fn relay<O: Outbox>() -> Function {
    Function::new(O::NAME, Kind::Relay, |environment| Box::pin(async move { start(&environment, O::events) }))
}

fn start<E>(environment: &Environment, events: EventsOf<E>) -> Result<Box<dyn Handler>, StartError>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let topic = environment.required("EVENTS_TOPIC_ARN")?;
    let queue = environment.required("RELAY_DEAD_LETTER_QUEUE_URL")?;
    let sdk = environment.sdk_config();
    Ok(Box::new(Relay::new(events, Publisher::new(environment, topic), DeadLetters::new(sdk, queue))))
}

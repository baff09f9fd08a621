//! Turns a consumer of events into the handler of an SQS queue.
//!
//! - Each body is parsed alone: a malformed one fails alone, and is in the dead-letter queue as it came after nine receipts that nothing is waited between.
//!   One of a type that is not known here may be for a newer version of the consumer, which is perhaps being deployed:
//!   it is tried again like whatever fails.
//! - Messages with the same event id in one batch are one message: it is handed over once, and its result
//!   is that of all.
//! - A panic fails only the message that causes it.
//! - What has no result has failed: it stays in the queue and comes again.
//! - What failed comes again after a pause that grows from a second to a quarter of an hour, nine tries in all
//!   ([`shop_lambda::recovery`]); an outage of an hour uses up no message's tries.
//! - The journal is told what became of each delivery ([`crate::receipts`]), on a best effort.
//! - A consumer that is not finished two seconds before its function's time is over is given up, and all that it was
//!   handed has failed.
//!
//! A consumer that does one thing an event implements [`Consumer`] ([`each`]); one that needs the whole batch,
//! to write many events' effects at once, implements [`BatchConsumer`] ([`batch`]).

mod batch;
mod body;
mod failure;
mod handler;
mod retries;

use std::panic::AssertUnwindSafe;

use futures::{FutureExt, StreamExt, stream};
use shop_events::Event;
use shop_lambda::{Environment, Function, Handler, Kind, Start, StartError};

pub use batch::{KEEPS_FAILING, MALFORMED};
pub use body::{About, Body, Unreadable};
pub use failure::{Failure, MessageResult};

use crate::panics::Panicked;
use crate::receipts::Journal;
use handler::QueueHandler;
use retries::Retries;

/// How many events of a batch an [`each`] consumer works on at a time: as many as a plain SQS batch has.
const CONCURRENCY: usize = 10;

/// An event as a queue delivered it: one of the shop's own, unless a queue holds others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<B = Event> {
    /// The id of the SQS message.
    pub message_id: String,
    /// How often the message was delivered, this time included; 1 where the queue does not say.
    pub receive_count: u32,
    /// The event.
    pub event: B,
}

/// Does something for each event. It must bear the same event twice and events in any order.
pub trait Consumer<B = Event>: Send + Sync {
    /// Handles one event. `Ok` means that it is done, or that there is nothing to do, for ever: the message
    /// is deleted.
    fn consume(&self, event: &B) -> impl Future<Output = MessageResult> + Send;
}

/// Does something for a whole batch of events. It must bear the same event twice (in different batches)
/// and events in any order.
pub trait BatchConsumer<B = Event>: Send + Sync {
    /// Handles a batch. The answer has one result per message, in the order of the messages; where one is
    /// missing the message has failed.
    fn consume(&self, batch: &[Message<B>]) -> impl Future<Output = Vec<MessageResult>> + Send;
}

/// The function of a queue whose events are consumed one by one, a few at a time. It reads `QUEUE_URL`, and needs
/// `sqs:ChangeMessageVisibility` on that queue; and `JOURNAL_QUEUE_URL`, with `sqs:SendMessage` on that one.
#[must_use]
pub const fn each<C: Consumer + Start>() -> Function {
    each_of::<Event, C>()
}

/// The same of a queue that holds something else: [`crate::Work`], or what another system says in a form of its own.
#[must_use]
pub const fn each_of<B: Body, C: Consumer<B> + Start>() -> Function {
    Function::new(C::NAME, Kind::Consumer, |environment| {
        Box::pin(async move {
            let journal = Journal::start(&environment)?;
            handler::<B>(C::NAME, &environment, Each(C::start(&environment).await?), Some(journal))
        })
    })
}

/// The function of a queue whose events are consumed a batch at a time. It reads and needs what that of [`each`] does.
#[must_use]
pub const fn batch<C: BatchConsumer + Start>() -> Function {
    Function::new(C::NAME, Kind::Consumer, |environment| {
        Box::pin(async move {
            let journal = Journal::start(&environment)?;
            handler::<Event>(C::NAME, &environment, C::start(&environment).await?, Some(journal))
        })
    })
}

/// The function of the journal's own queue, a batch at a time: like [`batch`], but it tells the journal nothing of
/// itself, which would never end.
#[must_use]
pub const fn of_journal<B: Body, C: BatchConsumer<B> + Start>() -> Function {
    Function::new(C::NAME, Kind::Consumer, |environment| {
        Box::pin(async move { handler::<B>(C::NAME, &environment, C::start(&environment).await?, None) })
    })
}

fn handler<B: Body>(
    name: &'static str,
    environment: &Environment,
    consumer: impl BatchConsumer<B> + 'static,
    journal: Option<Journal>,
) -> Result<Box<dyn Handler>, StartError> {
    Ok(Box::new(QueueHandler::new(consumer, Retries::start(name, environment)?, journal)))
}

struct Each<C>(C);

impl<C> Each<C> {
    async fn one<B: Body>(&self, event: &B) -> MessageResult
    where
        C: Consumer<B>,
    {
        AssertUnwindSafe(self.0.consume(event))
            .catch_unwind()
            .await
            .unwrap_or_else(|payload| Err(Failure::new("panicked", Panicked::new(&*payload))))
    }
}

impl<B: Body, C: Consumer<B>> BatchConsumer<B> for Each<C> {
    async fn consume(&self, batch: &[Message<B>]) -> Vec<MessageResult> {
        let results: Vec<_> = batch.iter().map(|message| self.one(&message.event)).collect();
        stream::iter(results).buffered(CONCURRENCY).collect().await
    }
}

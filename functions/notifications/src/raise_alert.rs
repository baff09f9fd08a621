//! Consumer of inventory.low, .replenished, `.sold_out`, `.back_in_stock` and .closed: raises alerts, resolves them, and has
//! those told by mail who want it.
//!
//! - It dedupes by the alert's halves: an event finds its alert by the id that follows from the event that raises it,
//!   and writes its half on the condition that it is not there. So repeats do nothing, and an end may come before its
//!   beginning, or long after the next one began.
//! - The row is written first, and exact. Then the text of an alert that is open, and of which nobody was told, is
//!   published, and that is noted. Where publishing fails, the message stays in the queue and only that is left to do.
//!   A mail may come twice: where SNS's answer or the note is lost, or where two deliveries of one event are at work at
//!   the same moment. None comes of an alert that is over by then.
//! - Retried: failures of DynamoDB and of SNS.
//! - Dropped: a product that is in stock for the first time ends nothing.

use aws_sdk_dynamodb::Client;
use shop_events::Event;
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, Consumer, Failure, MessageResult};

use crate::alert::{Alert, Half, Note};
use crate::mail::Topic;
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each::<RaiseAlert>();

pub(crate) struct RaiseAlert {
    store: Store,
    topic: Topic,
    clock: Clock,
}

impl Start for RaiseAlert {
    const NAME: &'static str = "raise-alert";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { store, topic: Topic::start(environment)?, clock: environment.clock() })
    }
}

impl Consumer for RaiseAlert {
    async fn consume(&self, event: &Event) -> MessageResult {
        // The filter policy lets no other through; one that comes all the same must be seen, not lost.
        let notes = Note::of(event).ok_or(Failure::code_only("unexpected_event_type"))?;
        for note in &notes {
            self.store.note(note, self.clock.now()).await.map_err(store_failed)?;
            if matches!(note.half, Half::Raised(_)) {
                self.announce(note).await?;
            }
        }
        Ok(())
    }
}

impl RaiseAlert {
    /// Has somebody told of an alert, unless that was done, or it is over.
    async fn announce(&self, note: &Note) -> MessageResult {
        let alert = self.store.find(&note.id).await.map_err(store_failed)?;
        let Some(alert) = alert.filter(Alert::is_to_be_announced) else { return Ok(()) };
        let Some((subject, text)) = alert.mail() else { return Ok(()) };
        let published = self.topic.publish(&subject, &text).await;
        published.map_err(|error| Failure::new("not_published", Chain(&error).to_string()))?;
        self.store.announced(&alert.id, self.clock.now()).await.map_err(store_failed)
    }
}

fn store_failed(error: shop_dynamo::StoreError) -> Failure {
    Failure::new("store_failed", error)
}

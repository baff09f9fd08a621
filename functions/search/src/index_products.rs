//! Consumer of product.created, .updated and .deleted, `inventory.sold_out` and `.back_in_stock`: makes the index have
//! these products as they are.
//!
//! - An event says which product to look at, and nothing else: it is read as it is now, so that events may come late,
//!   twice and in any order ([`crate::publisher`]).
//! - All changes of a batch are one segment and one manifest. Of two writers that meet, one begins again.
//! - Retried: failures of DynamoDB and of S3.
//! - Dropped: nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use shop_events::{Event, EventData};
use shop_lambda::{Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, BatchConsumer, Failure, Message, MessageResult};
use shop_types::ProductId;

use crate::publisher::Publisher;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::batch::<IndexProducts>();

pub(crate) struct IndexProducts {
    publisher: Publisher,
}

impl Start for IndexProducts {
    const NAME: &'static str = "index-products";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { publisher: Publisher::start(environment)? })
    }
}

impl BatchConsumer for IndexProducts {
    async fn consume(&self, batch: &[Message]) -> Vec<MessageResult> {
        let ids: BTreeSet<ProductId> =
            batch.iter().filter_map(|message| concerned(&message.event)).cloned().collect();
        let result = self.publisher.apply(&ids).await.map_err(Arc::new);
        let of = |message: &Message| {
            // The filter policy lets no other through; one that comes all the same must be seen, not lost.
            if concerned(&message.event).is_none() {
                return Err(Failure::code_only("unexpected_event_type"));
            }
            result.as_ref().map(drop).map_err(|error| Failure::new("not_indexed", Arc::clone(error)))
        };
        batch.iter().map(of).collect()
    }
}

/// The product that is not as the index has it, perhaps.
const fn concerned(event: &Event) -> Option<&ProductId> {
    match event.data() {
        EventData::ProductCreated(data) | EventData::ProductUpdated(data) => Some(&data.product_id),
        EventData::ProductDeleted(data) => Some(&data.product_id),
        EventData::InventorySoldOut(data) => Some(&data.product_id),
        EventData::InventoryBackInStock(data) => Some(&data.product_id),
        _ => None,
    }
}

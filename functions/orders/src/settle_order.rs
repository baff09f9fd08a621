//! Settles orders by what became of their stock: `inventory.reserved` confirms a pending order,
//! `inventory.rejected` rejects it.
//!
//! - Retried: failures of DynamoDB, and an order that is not there (its event was made from it, so it must
//!   be; in the end the message lies in the dead-letter queue for somebody to look at).
//! - Dropped: events for an order that is no longer pending. It was settled before, or cancelled, and a
//!   cancelled order's stock is released by its own event.
//! - Deduplicated by the condition that the order is pending, in the same write.

use aws_sdk_dynamodb::Client;
use shop_events::{Event, EventData};
use shop_lambda::{Clock, Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, Consumer, Failure, MessageResult};

use crate::order::Rejection;
use crate::store::{OrderStore, Settled};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each::<SettleOrder>();

pub(crate) struct SettleOrder {
    orders: OrderStore,
    clock: Clock,
}

impl Start for SettleOrder {
    const NAME: &'static str = "settle-order";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let orders = OrderStore::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { orders, clock: environment.clock() })
    }
}

impl Consumer for SettleOrder {
    async fn consume(&self, event: &Event) -> MessageResult {
        let (order_id, rejection) = match event.data() {
            EventData::InventoryReserved(reserved) => (&reserved.order_id, None),
            EventData::InventoryRejected(rejected) => {
                let rejection = Rejection { reason: rejected.reason, shortages: rejected.shortages.clone() };
                (&rejected.order_id, Some(rejection))
            }
            // The filter policy lets no other through; one that comes all the same must be seen, not lost.
            _ => return Err(Failure::code_only("unexpected_event_type")),
        };
        let settled =
            self.orders.settle(order_id, rejection.as_ref(), &event.as_cause(), self.clock.now()).await;
        match settled {
            Ok(Settled::Now | Settled::Before) => Ok(()),
            Ok(Settled::Unknown) => Err(Failure::code_only("unknown_order")),
            Err(error) => Err(Failure::new("store_failed", error)),
        }
    }
}

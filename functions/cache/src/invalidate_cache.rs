//! Consumer of product.created, .updated and .deleted, `inventory.sold_out` and `.back_in_stock`: makes CloudFront forget
//! the answers that show what was before.
//!
//! - All changes of a batch are one call, and cost a path for each product and one for the lists, or a single path for
//!   more than 50 products. Paths have a budget for the day; beyond it answers grow old by themselves, within a
//!   minute.
//! - The same events again are the same call by CloudFront's own rule, and are paid for once.
//! - Retried: failures of DynamoDB and of CloudFront.
//! - Dropped: what happened so long ago that no cache can still show what was before; everything, where the stack has no
//!   distribution.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use shop_dynamo::StoreError;
use shop_lambda::{Clock, Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, BatchConsumer, Failure, Message, MessageResult};

use crate::edge::{Edge, EdgeError};
use crate::invalidation::{Invalidation, concern};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::batch::<InvalidateCache>();

pub(crate) struct InvalidateCache {
    store: Store,
    edge: Option<Edge>,
    clock: Clock,
}

impl Start for InvalidateCache {
    const NAME: &'static str = "invalidate-cache";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::start(environment, Client::new(environment.sdk_config()))?,
            edge: Edge::start(environment)?,
            clock: environment.clock(),
        })
    }
}

/// Caches were not made to forget. The same batch again does it.
#[derive(Debug, thiserror::Error)]
enum ForgetError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

impl BatchConsumer for InvalidateCache {
    async fn consume(&self, batch: &[Message]) -> Vec<MessageResult> {
        let result = self.forget(batch).await.map_err(Arc::new);
        let of = |message: &Message| {
            // The filter policy lets no other through; one that comes all the same must be seen, not lost.
            if concern(&message.event).is_none() {
                return Err(Failure::code_only("unexpected_event_type"));
            }
            result.clone().map_err(|error| Failure::new("not_invalidated", error))
        };
        batch.iter().map(of).collect()
    }
}

impl InvalidateCache {
    async fn forget(&self, batch: &[Message]) -> Result<(), ForgetError> {
        let Some(edge) = &self.edge else { return Ok(()) };
        let now = self.clock.now();
        let events = batch.iter().map(|message| &message.event);
        let Some(invalidation) = Invalidation::of(events, now) else { return Ok(()) };
        // Where not all of its paths are left, one may be.
        for invalidation in [&invalidation, &invalidation.coarse()] {
            if self.store.pay(invalidation, now).await? {
                return Ok(edge.forget(invalidation).await?);
            }
        }
        tracing::warn!(
            changes = batch.len(),
            "the day's budget of invalidations is used up: what changed is shown within a minute"
        );
        Ok(())
    }
}

//! `DELETE /products/{id}`: an administrator takes a product out of the catalogue.
//!
//! It stays as a tombstone: orders keep what they bought, stock that is set aside can still be released, and
//! the id is never given out again. Orders that still wait for stock of it are rejected.

use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::{Clock, Function};
use shop_types::ProductId;

use crate::retries::Retries;
use crate::start::start;
use crate::store::Store;

/// The function.
pub const FUNCTION: Function = Function::new(DeleteProduct::NAME, |environment| {
    Box::pin(start(environment, |store, environment| DeleteProduct { store, clock: environment.clock() }))
});

struct DeleteProduct {
    store: Store,
    clock: Clock,
}

impl Route for DeleteProduct {
    const NAME: &'static str = "delete-product";
    const ACCESS: Access = Access::Admin;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ProductId = call.id("product")?;
        let precondition = call.precondition()?;
        let mut retries = Retries::new();
        loop {
            let offer = self.store.find_listed(&id).await?.ok_or_else(|| Problem::not_found("product"))?;
            precondition.check(offer.product.version)?;
            let cause = call.cause();
            let tombstone = offer.product.deleted(self.clock.now(), cause);
            if self.store.delete(&offer.product, &tombstone).await? {
                return Ok(Reply::no_content());
            }
            retries.pause().await?;
        }
    }
}

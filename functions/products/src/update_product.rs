//! `PATCH /products/{id}`: an administrator changes a product's description or price. Its currency stays, and
//! its stock has a route of its own.
//!
//! Version by version: a change is made from what was read, and made again where somebody else was faster,
//! unless `If-Match` asked for that very version.

use shop_http::{Access, Call, Endpoint, Problem, Reply, Route, Start, patch};
use shop_lambda::{Clock, Function, StartError};
use shop_types::ProductId;

use crate::fields::Changes;
use crate::product::Offer;
use crate::retries::Retries;
use crate::store::Store;

/// The function.
pub const FUNCTION: Function = shop_http::function::<UpdateProduct>();

/// The route.
pub struct UpdateProduct {
    store: Store,
    clock: Clock,
}

impl Route for UpdateProduct {
    const NAME: &'static str = "update-product";
    const ENDPOINT: Endpoint = patch("/products/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(start.client(), start.environment())?, clock: start.clock() })
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ProductId = call.id("product")?;
        let precondition = call.precondition()?;
        let mut retries = Retries::new();
        loop {
            let offer = self.store.find_listed(&id).await?.ok_or_else(|| Problem::not_found("product"))?;
            // The price is read in the product's currency, so the body is read here.
            let changes = Changes::read(call.body()?, offer.product.currency)?;
            precondition.check(offer.product.version)?;
            let cause = call.cause();
            let product = offer.product.with(&changes, self.clock.now(), cause);
            if self.store.replace(&offer.product, &product).await? {
                let offer = Offer { product, stock: offer.stock };
                return Reply::ok(&offer.view())?.versioned(offer.tag());
            }
            retries.pause().await?;
        }
    }
}

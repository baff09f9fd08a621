//! `DELETE /products/{id}`: an administrator takes a product out of the catalogue.
//!
//! It stays as a tombstone: orders keep what they bought, stock that is set aside can still be released, and
//! the id is never given out again. Orders that still wait for stock of it are rejected.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, delete};
use shop_lambda::{Clock, Function, StartError};

use crate::change::change;
use crate::product::Product;
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<DeleteProduct>();

pub(crate) struct DeleteProduct {
    store: Store,
    clock: Clock,
}

impl Route for DeleteProduct {
    const NAME: &'static str = "delete-product";
    const ENDPOINT: Endpoint = delete("/products/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())?, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new("Takes a product out of the catalogue").no_content("It is gone.").conditional()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let deleted = |product: &Product| Ok(product.deleted(self.clock.now(), call.cause()));
        change(&self.store, &call, deleted).await?;
        Ok(Reply::no_content())
    }
}

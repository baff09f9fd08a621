//! `PATCH /products/{id}`: an administrator changes a product's description or price. Its currency stays, and
//! its stock has a route of its own.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, patch};
use shop_lambda::{Clock, Function, StartError};
use shop_types::Currency;

use crate::change::change;
use crate::fields::Changes;
use crate::product::ProductView;
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<UpdateProduct>();

pub(crate) struct UpdateProduct {
    store: Store,
    clock: Clock,
}

impl Route for UpdateProduct {
    const NAME: &'static str = "update-product";
    const ENDPOINT: Endpoint = patch("/products/{id}");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())?, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new("Changes a product's description or price")
            .body(|input| Changes::read(input, Currency::USD))
            .ok::<ProductView<'_>>("The product as it is now.")
            .versioned()
            .conditional()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let item = change(&self.store, &call, |product| {
            // The price is read in the product's currency, so the body is read here.
            let changes = Changes::read(call.body()?, product.price.currency)?;
            Ok(product.with(&changes, self.clock.now(), call.cause()))
        });
        let item = item.await?;
        Reply::ok(&item.view())?.versioned(item.tag())
    }
}

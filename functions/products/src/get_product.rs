//! `GET /products/{id}`: a product and how many are for sale. Everybody may read it.

use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;
use shop_types::ProductId;

use crate::start::start;
use crate::store::Store;

/// The function.
pub const FUNCTION: Function = Function::new(GetProduct::NAME, |environment| {
    Box::pin(start(environment, |store, _| GetProduct { store }))
});

struct GetProduct {
    store: Store,
}

impl Route for GetProduct {
    const NAME: &'static str = "get-product";
    const ACCESS: Access = Access::Public;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ProductId = call.id("product")?;
        let offer = self.store.find_listed(&id).await?.ok_or_else(|| Problem::not_found("product"))?;
        if call.is_unchanged(offer.tag()) {
            return Ok(Reply::not_modified(offer.tag())?.catalogue(&call.principal));
        }
        Ok(Reply::ok(&offer.view())?.versioned(offer.tag())?.catalogue(&call.principal))
    }
}

//! `GET /products/{id}`: a product and how many are for sale. Everybody may read it.

use crate::product::ProductView;
use shop_http::{Access, CacheTags, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::ProductId;

use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetProduct>();

pub(crate) struct GetProduct {
    store: Store,
}

impl Route for GetProduct {
    const NAME: &'static str = "get-product";
    const ENDPOINT: Endpoint = get("/products/{id}");
    const ACCESS: Access = Access::Public;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows a product").ok::<ProductView<'_>>("The product.").cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ProductId = call.id("product")?;
        let item = self.store.find_listed(&id).await?.ok_or_else(|| Problem::not_found("product"))?;
        let reply = if call.is_unchanged(item.tag())? {
            Reply::not_modified(item.tag())?
        } else {
            Reply::ok(&item.view())?.versioned(item.tag())?
        };
        Ok(reply.catalogue(&call.principal, &CacheTags::of_product(&id)))
    }
}

//! `GET /products/{id}/stock`: how many are for sale, and how many are set aside for orders. Administrators only: what
//! is for sale everybody sees at the product.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::ProductId;

use crate::set_stock::{StockView, answer};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetStock>();

pub(crate) struct GetStock {
    store: Store,
}

impl Route for GetStock {
    const NAME: &'static str = "get-stock";
    const ENDPOINT: Endpoint = get("/products/{id}/stock");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows how many of a product there are").ok::<StockView<'_>>("The stock.").cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ProductId = call.id("product")?;
        let stock = self.store.stock(&id).await?.filter(|stock| stock.deleted_at.is_none());
        let stock = stock.ok_or_else(|| Problem::not_found("product"))?;
        if call.is_unchanged(stock.version)? {
            return Reply::not_modified(stock.version);
        }
        answer(&StockView::of(&stock))
    }
}

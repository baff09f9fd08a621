//! `GET /products`: the catalogue, newest first, page by page. Everybody may read it.
//!
//! One query of the index and one batch of counters, whatever the size of the catalogue. The index follows
//! the table within moments, so a new product may be missing from a list for that long.

use shop_http::{Access, Call, Cursor, Page, Problem, Reply, Route};
use shop_lambda::Function;

use crate::product::Offer;
use crate::start::start;
use crate::store::{Position, Store};

/// The list, as its cursors name it.
const LIST: &str = "/products";

/// The function.
pub const FUNCTION: Function = Function::new(ListProducts::NAME, |environment| {
    Box::pin(start(environment, |store, _| ListProducts { store }))
});

struct ListProducts {
    store: Store,
}

impl Route for ListProducts {
    const NAME: &'static str = "list-products";
    const ACCESS: Access = Access::Public;
    const QUERY: &'static [&'static str] = &["limit", "cursor"];

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let request = call.page::<Position>(LIST)?;
        let page = self.store.list(request.after.as_ref(), request.limit).await?;
        let next_cursor = page.next.map(|position| Cursor::encode(LIST, position)).transpose()?;
        let data = page.offers.iter().map(Offer::view).collect();
        Ok(Reply::page(&Page { data, next_cursor }, LIST, request.limit)?.public())
    }
}

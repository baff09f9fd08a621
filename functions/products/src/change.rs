//! Changes of a product, version by version: made from what was read, and made again where somebody else was faster,
//! unless `If-Match` asked for that very version.

use shop_http::{Call, Problem};
use shop_types::ProductId;

use crate::product::{CatalogueItem, Product};
use crate::store::{Kind, Store};

/// Changes the product that a call names; the product as it is then.
///
/// # Errors
/// 404 where it is not for sale, 412 where it is another version than was asked for, and what `change` refuses.
pub(crate) async fn change(
    store: &Store,
    call: &Call,
    change: impl Fn(&Product) -> Result<Product, Problem>,
) -> Result<CatalogueItem, Problem> {
    let id: ProductId = call.id("product")?;
    let precondition = call.precondition()?;
    let mut tries = store.tries(Kind::Product);
    loop {
        let item = store.find_listed(&id).await?.ok_or_else(|| Problem::not_found("product"))?;
        let product = change(&item.product)?;
        precondition.check_shown(item.product.version)?;
        if store.replace(&item.product, &product).await? {
            return Ok(CatalogueItem { product, stock: item.stock });
        }
        tries.pause().await?;
    }
}

//! A rush on a product: many more orders at once than there are units.

use anyhow::{Result, ensure};

use crate::shop::Shop;
use crate::steps;

/// A thousand orders at once for a hundred units: exactly a hundred are confirmed, the rest rejected, the
/// stock is 0, and the statistics are those of the confirmed orders.
pub(super) async fn exactly_the_stock_is_sold(shop: &Shop) -> Result<()> {
    let (orders, units) = shop.scale().rush();
    let buyer = shop.buyer()?;
    let before = steps::statistics_agree_with_orders(&buyer).await?;
    let product = steps::product(shop, 9.99, units).await?;
    let ids = steps::place_many(&buyer, &[(&product, 1)], orders).await?;
    let outcomes = steps::outcomes(&buyer, &ids).await?;
    let expected = [("confirmed".to_owned(), units), ("rejected".to_owned(), orders - units)].into();
    ensure!(outcomes == expected, "{orders} orders for {units} units became {outcomes:?}");
    steps::stock_becomes(shop, &product, 0).await?;
    let sold = i64::try_from(units)?;
    steps::statistics_become(&buyer, &before.and(sold, "USD", 999 * sold)).await?;
    ensure!(
        steps::statistics_agree_with_orders(&buyer).await? == before.and(sold, "USD", 999 * sold),
        "the statistics changed after they had been right"
    );
    Ok(())
}

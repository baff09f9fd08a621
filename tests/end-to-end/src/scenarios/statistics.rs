//! What a customer has ordered, spent and ordered last.

use anyhow::Result;
use serde_json::Value;

use crate::accounts;
use crate::shop::Shop;
use crate::steps;

/// A confirmed order counts in its currency, a rejected one does not, and a cancelled one is taken off again.
pub(super) async fn statistics_follow_the_orders(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let start = steps::statistics_agree_with_orders(&buyer).await?;
    let dollars = steps::product(shop, 19.99, 100).await?;
    let yen = steps::product_in(shop, "JPY", 1200.0, 100).await?;

    let first = steps::place(&buyer, &[(&dollars, 2)]).await?;
    let first_order = steps::settles_as(&buyer, &first, "confirmed").await?;
    let one = start.and(1, "USD", 3998);
    let statistics = steps::statistics_become(&buyer, &one).await?;
    statistics.has("/last_order/id", first.as_str())?;
    statistics.has("/last_order/placed_at", first_order.at("/created_at")?.clone())?;

    let second = steps::place(&buyer, &[(&yen, 3)]).await?;
    steps::settles_as(&buyer, &second, "confirmed").await?;
    let two = one.and(1, "JPY", 3600);
    steps::statistics_become(&buyer, &two).await?.has("/last_order/id", second.as_str())?;

    let refused = steps::place(&buyer, &[(&dollars, 1000)]).await?;
    steps::settles_as(&buyer, &refused, "rejected").await?;

    // The last order is taken off: the one before it is the last again.
    buyer.post(format!("/orders/{second}/cancel")).await?.expect(200)?;
    let statistics = steps::statistics_become(&buyer, &one).await?;
    statistics.has("/last_order/id", first.as_str())?;
    buyer.post(format!("/orders/{first}/cancel")).await?.expect(200)?;
    let statistics = steps::statistics_become(&buyer, &start).await?;
    if start == steps::Totals::default() {
        statistics.has("/last_order", Value::Null)?;
    }
    Ok(())
}

/// A customer who has not ordered has statistics too, and they are empty.
pub(super) async fn a_new_customer_has_empty_statistics(shop: &Shop) -> Result<()> {
    let (totals, reply) = steps::statistics(&shop.new_customer()?).await?;
    anyhow::ensure!(totals == steps::Totals::default(), reply.wrong("not empty"));
    reply.has("/last_order", Value::Null)
}

/// They can be read by the user's id; another customer's are not there, and the administrator sees all.
pub(super) async fn statistics_are_their_owners(shop: &Shop) -> Result<()> {
    // To the administrator somebody who never registered does not exist, whatever their token.
    let account = accounts::customer(shop).await?;
    let (one, other) = (account.caller(shop), shop.new_customer()?);
    let (_, mine) = steps::statistics(&one).await?;
    let path = format!("/users/{}/stats", mine.string("/user_id")?);
    one.get(path.clone()).await?.expect(200)?.has("/user_id", mine.at("/user_id")?.clone())?;
    shop.administrator()?.get(path.clone()).await?.expect(200)?;
    other.get(path).await?.problem(404, "not_found")?;
    Ok(())
}

/// After all the other scenarios: the statistics still are what the orders add up to. A message that was
/// counted twice, late, shows here.
pub(super) async fn statistics_still_add_up_at_the_end(shop: &Shop) -> Result<()> {
    steps::statistics_agree_with_orders(&shop.administrator()?).await?;
    Ok(())
}

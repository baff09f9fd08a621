//! The steps that scenarios share: a product to sell, an order of it, and what happens behind the order.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use shop_types::{Currency, Money};

use crate::reply::Reply;
use crate::request::Caller;
use crate::shop::Shop;
use crate::wait::{Look, until};

/// Puts a product of a scenario's own on sale, at a price in US dollars; its id.
pub(crate) async fn product(shop: &Shop, price: f64, stock: usize) -> Result<String> {
    product_in(shop, "USD", price, stock).await
}

/// Puts a product of a scenario's own on sale, at a price in any currency; its id.
pub(crate) async fn product_in(shop: &Shop, currency: &str, price: f64, stock: usize) -> Result<String> {
    let id = shop.unique("e2e");
    let body =
        json!({"id": id, "name": "A test's product", "price": price, "currency": currency, "stock": stock});
    shop.administrator()?.post("/products").json(&body).await?.expect(201)?;
    Ok(id)
}

/// The body of an order of some products, by id and quantity.
pub(crate) fn order_of(lines: &[(&str, usize)]) -> Value {
    let items: Vec<_> =
        lines.iter().map(|(id, quantity)| json!({"product_id": id, "quantity": quantity})).collect();
    json!({ "items": items })
}

/// Places an order that the shop must take; its id.
pub(crate) async fn place(buyer: &Caller<'_>, lines: &[(&str, usize)]) -> Result<String> {
    let reply = buyer.post("/orders").json(&order_of(lines)).await?.expect(201)?;
    reply.has("/status", "pending")?;
    Ok(reply.string("/id")?.to_owned())
}

/// Places the same order many times at once; the ids in any order.
pub(crate) async fn place_many(
    buyer: &Caller<'_>,
    lines: &[(&str, usize)],
    count: usize,
) -> Result<Vec<String>> {
    stream::iter(0..count)
        .map(|_| place(buyer, lines))
        .buffer_unordered(buyer.shop().scale().callers())
        .try_collect()
        .await
}

/// Waits until an order is no longer pending.
pub(crate) async fn settled(caller: &Caller<'_>, id: &str) -> Result<Reply> {
    until(&format!("order {id} to be settled"), caller.shop().patience(), async || {
        let reply = caller.get(format!("/orders/{id}")).await?.expect(200)?;
        Ok(if reply.string("/status")? == "pending" { Look::NotYet(reply.body) } else { Look::Done(reply) })
    })
    .await
}

/// Waits until an order has a status.
pub(crate) async fn settles_as(caller: &Caller<'_>, id: &str, status: &str) -> Result<Reply> {
    let reply = settled(caller, id).await?;
    reply.has("/status", status)?;
    Ok(reply)
}

/// Waits until all orders are settled; how many have which status.
pub(crate) async fn outcomes(caller: &Caller<'_>, ids: &[String]) -> Result<BTreeMap<String, usize>> {
    // Readers share the machine with the consumers that they wait for: one waits for the last order, and the
    // others are settled then, or nearly.
    if let Some(last) = ids.last() {
        settled(caller, last).await?;
    }
    let readers = caller.shop().scale().callers().min(32);
    let statuses: Vec<String> = stream::iter(ids)
        .map(async |id| Ok::<_, anyhow::Error>(settled(caller, id).await?.string("/status")?.to_owned()))
        .buffer_unordered(readers)
        .try_collect()
        .await?;
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_default() += 1;
    }
    Ok(counts)
}

/// A product as the catalogue shows it.
pub(crate) async fn catalogued(shop: &Shop, id: &str) -> Result<Reply> {
    shop.administrator()?.get(format!("/products/{id}")).await?.expect(200)
}

/// Waits until a product's stock is at a level.
pub(crate) async fn stock_becomes(shop: &Shop, id: &str, level: i64) -> Result<()> {
    until(&format!("the stock of {id} to be {level}"), shop.patience(), async || {
        let reply = catalogued(shop, id).await?;
        Ok(if reply.integer("/stock")? == level { Look::Done(()) } else { Look::NotYet(reply.body) })
    })
    .await
}

/// What a customer's statistics say, and what their orders add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Orders that count: confirmed, and not cancelled since.
    pub(crate) orders: i64,
    /// What they cost, in minor units by currency.
    pub(crate) spent: BTreeMap<String, i64>,
}

impl Totals {
    /// These and one more order, or one fewer where `orders` is -1.
    pub(crate) fn and(&self, orders: i64, currency: &str, minor: i64) -> Self {
        let mut sum = self.clone();
        sum.add(orders, currency, minor);
        sum
    }

    fn add(&mut self, orders: i64, currency: &str, minor: i64) {
        self.orders += orders;
        let spent = self.spent.entry(currency.to_owned()).or_default();
        *spent += minor;
        // Nothing spent in a currency may be said, or left out: both are true.
        self.spent.retain(|_, minor| *minor != 0);
    }
}

/// An amount of the API in minor units.
pub(crate) fn minor(currency: &str, text: &str) -> Result<i64> {
    let currency: Currency = currency.parse().with_context(|| format!("{currency} is no currency"))?;
    let money: Money =
        currency.parse_amount(text).with_context(|| format!("{text} is no amount in {currency}"))?;
    Ok(money.minor)
}

/// The caller's statistics.
pub(crate) async fn statistics(caller: &Caller<'_>) -> Result<(Totals, Reply)> {
    let reply = caller.get("/users/me/stats").await?.expect(200)?;
    let mut totals = Totals { orders: reply.integer("/orders_placed")?, ..Totals::default() };
    for index in 0..reply.array("/amount_spent")?.len() {
        let currency = reply.string(&format!("/amount_spent/{index}/currency"))?.to_owned();
        let amount = minor(&currency, &reply.raw(&format!("/amount_spent/{index}/amount"))?)?;
        totals.add(0, &currency, amount);
    }
    Ok((totals, reply))
}

/// Waits until the caller's statistics are as expected.
pub(crate) async fn statistics_become(caller: &Caller<'_>, expected: &Totals) -> Result<Reply> {
    until(&format!("the statistics to be {expected:?}"), caller.shop().patience(), async || {
        let (totals, reply) = statistics(caller).await?;
        Ok(if totals == *expected { Look::Done(reply) } else { Look::NotYet(reply.body) })
    })
    .await
}

/// Waits until the caller's orders are all settled and the statistics say what they add up to; the totals.
///
/// It is where a scenario starts that will compare statistics afterwards, and it holds at any time after the
/// last order was settled: nothing is counted twice, and nothing is forgotten.
pub(crate) async fn statistics_agree_with_orders(caller: &Caller<'_>) -> Result<Totals> {
    until("the statistics to agree with the orders", caller.shop().patience(), async || {
        let mut expected = Totals::default();
        for page in pages(caller, "/orders?customer_id=me&limit=100").await? {
            for index in 0..page.array("/data")?.len() {
                let at = |field: &str| format!("/data/{index}/{field}");
                match page.string(&at("status"))? {
                    "pending" => return Ok(Look::NotYet(page.raw(&format!("/data/{index}"))?)),
                    "rejected" | "cancelled" => {}
                    _ => {
                        let currency = page.string(&at("currency"))?;
                        expected.add(1, currency, minor(currency, &page.raw(&at("total_amount"))?)?);
                    }
                }
            }
        }
        let (totals, _) = statistics(caller).await?;
        Ok(if totals == expected {
            Look::Done(totals)
        } else {
            Look::NotYet(format!("the orders add up to {expected:?}, the statistics say {totals:?}"))
        })
    })
    .await
}

/// All pages of a list, from the path of the first.
pub(crate) async fn pages(caller: &Caller<'_>, path: &str) -> Result<Vec<Reply>> {
    const MOST: usize = 2_000;
    let mut pages = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(this) = next {
        let page = caller.get(this).await?.expect(200)?;
        next = page.json["next_cursor"].as_str().map(|cursor| {
            let separator = if path.contains('?') { '&' } else { '?' };
            format!("{path}{separator}cursor={cursor}")
        });
        pages.push(page);
        anyhow::ensure!(pages.len() < MOST, "{path} has more than {MOST} pages");
    }
    Ok(pages)
}

/// The ids on pages of a list, in their order.
pub(crate) fn ids(pages: &[Reply]) -> Vec<String> {
    pages
        .iter()
        .filter_map(|page| page.json["data"].as_array())
        .flatten()
        .filter_map(|entry| entry["id"].as_str().map(str::to_owned))
        .collect()
}

//! What was sold: an order counts once it is confirmed, and what is cancelled after that is taken back.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use shop_types::Currency;

use crate::reply::Reply;
use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// A currency in which no other scenario sells anything, so that its figures are this one's alone.
const CURRENCY: &str = "NAD";

/// Figures of a report's total: orders, cancelled orders, units, cancelled units; and gross and net in cents.
type Figures = [i64; 6];

/// An amount, whose zeros at the end a reader of JSON may leave out.
fn cents(amount: &Value) -> Result<i64> {
    let currency: Currency = CURRENCY.parse()?;
    Ok(currency.parse_amount(&amount.to_string())?.minor)
}

fn figures(total: &Value) -> Result<Figures> {
    let number = |name: &str| total[name].as_i64().with_context(|| format!("{name}: {total}"));
    let cents = |name: &str| cents(&total[name]);
    Ok([
        number("orders")?,
        number("cancelled_orders")?,
        number("units")?,
        number("cancelled_units")?,
        cents("gross")?,
        cents("net")?,
    ])
}

async fn report(shop: &Shop, query: &str) -> Result<Reply> {
    let path = format!("/analytics/sales?currency={CURRENCY}{query}");
    shop.administrator()?.get(path).await?.expect(200)
}

async fn become_figures(shop: &Shop, expected: Figures) -> Result<()> {
    for by in ["day", "hour"] {
        until(&format!("the sales by {by} to be {expected:?}"), shop.patience(), async || {
            let reply = report(shop, &format!("&by={by}")).await?;
            let found = figures(reply.at("/total")?)?;
            // The buckets are what the total is the sum of.
            let mut sum = Figures::default();
            for bucket in reply.array("/data")? {
                for (sum, more) in sum.iter_mut().zip(figures(bucket)?) {
                    *sum += more;
                }
            }
            ensure!(sum == found, reply.wrong("the buckets do not add up"));
            Ok(if found == expected { Look::Done(()) } else { Look::NotYet(format!("{found:?}")) })
        })
        .await?;
    }
    Ok(())
}

/// A confirmed order is in the sales, a rejected one is not, and a cancelled one is taken back.
pub(super) async fn sales_follow_the_orders(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let start = figures(report(shop, "").await?.at("/total")?)?;
    let and = |more: Figures| {
        let mut sum = start;
        sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        sum
    };
    let product = steps::product_in(shop, CURRENCY, 3.25, 100).await?;
    let order = steps::place(&buyer, &[(&product, 2)]).await?;
    steps::settles_as(&buyer, &order, "confirmed").await?;
    become_figures(shop, and([1, 0, 2, 0, 650, 650])).await?;

    let refused = steps::place(&buyer, &[(&product, 1000)]).await?;
    steps::settles_as(&buyer, &refused, "rejected").await?;
    buyer.post(format!("/orders/{order}/cancel")).await?.expect(200)?;
    become_figures(shop, and([1, 1, 2, 2, 650, 0])).await?;

    let path = format!("/analytics/products?currency={CURRENCY}&sort=units&limit=100");
    let products = shop.administrator()?.get(path).await?.expect(200)?;
    let row = products.array("/data")?.iter().find(|row| row["product_id"] == product);
    let row = row.with_context(|| format!("{product} is not there: {}", products.body))?;
    ensure!(row["units"] == 2 && row["cancelled_units"] == 2, products.wrong("other figures"));
    ensure!(cents(&row["gross"])? == 650 && cents(&row["net"])? == 0, products.wrong("other amounts"));
    Ok(())
}

/// Who asks for CSV gets it, and whoever has the report is told so.
pub(super) async fn a_report_is_there_in_two_forms(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    // Of days that are over, nothing changes any more.
    for path in [
        "/analytics/sales?from=2020-02-28&to=2020-03-01",
        "/analytics/products?from=2020-02-28&to=2020-03-01",
    ] {
        let mut tags = Vec::new();
        for (accept, media_type) in [
            ("application/json", "application/json"),
            ("text/html;q=0.9, text/csv;q=0.5", "text/csv; charset=utf-8"),
        ] {
            let get = || administrator.get(path).header("accept", accept);
            let reply = get().await?.expect(200)?;
            reply.has_header("content-type", media_type)?;
            ensure!(reply.required_header("vary")?.contains("Accept"), reply.wrong("expected Vary: Accept"));
            let tag = reply.required_header("etag")?.to_owned();
            get().header("if-none-match", tag.clone()).await?.expect(304)?;
            tags.push(tag);
        }
        ensure!(tags[0] != tags[1], "{path}: two forms have one tag: {tags:?}");
        let refused = administrator.get(path).header("accept", "text/html").await?.expect(406)?;
        refused.has("/code", "not_acceptable")?;
    }
    let csv = administrator.get("/analytics/sales?from=2020-02-28&to=2020-03-01");
    let csv = csv.header("accept", "text/csv").await?.expect(200)?;
    let days: Vec<_> = csv.body.lines().map(|line| line.split(',').next().unwrap_or_default()).collect();
    ensure!(days == ["date", "2020-02-28", "2020-02-29", "2020-03-01"], csv.wrong("other days"));
    Ok(())
}

//! What sales cost, in DynamoDB's units as the embedded cloud counts them.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use service_tests::{Item, Service, simulate};
use shop_local::cloud::{Options, Units};

use super::{bucket, confirmed, deliver, get, order};

fn units(service: &Service, function: &str) -> Units {
    service.cloud.meter().sum(|entry| entry.caller == function).units
}

/// Read units of one request.
async fn read(service: &Service, function: &str, path: &str) -> Result<u64> {
    // The first request reads the keys as well.
    get(service, path).await?.expect(200)?;
    let before = units(service, function).half_reads;
    get(service, path).await?.expect(200)?;
    Ok((units(service, function).half_reads - before).div_ceil(2))
}

async fn fill(service: &Service, items: Vec<Item>) -> Result<()> {
    let table = service.cloud.physical("SalesTable").context("the table")?;
    let client = Client::new(&service.cloud.sdk_config("test"));
    let put = |item: &Item| {
        anyhow::Ok(
            WriteRequest::builder()
                .put_request(PutRequest::builder().set_item(Some(item.clone())).build()?)
                .build(),
        )
    };
    let writes = items.chunks(25).map(|items| {
        let request = items.iter().map(put).collect::<Result<Vec<_>>>();
        let client = &client;
        async move {
            client.batch_write_item().request_items(table, request?).send().await?;
            anyhow::Ok(())
        }
    });
    let writes: Vec<_> = writes.collect();
    stream::iter(writes).buffered(8).try_collect::<Vec<()>>().await?;
    Ok(())
}

#[test]
fn an_order_of_a_full_batch_costs_at_most_2_6_write_units() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let products: Vec<String> = (0..20).map(|n| format!("prd_{n:026}")).collect();
        let batch = (0..100).map(|number| {
            let product = products[number * 7 % 20].as_str();
            Ok(confirmed(&order(number, "2026-11-23T10:00:00Z", &[product])?))
        });
        let batch = batch.collect::<Result<Vec<_>>>()?;
        assert_eq!(deliver(&service, &batch).await?, [0; 0]);
        let spent = units(&service, "record-sale");
        // The month is noted once for each environment.
        ensure!(spent.writes <= 260 && spent.half_reads == 0, "{spent:?}");
        Ok(())
    })
}

#[test]
fn a_year_by_day_costs_at_most_100_read_units() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let all =
            ["orders", "units", "gross", "c_orders", "c_units", "c_gross"].map(|name| (name, 123_456_789));
        let mut days = Vec::new();
        for month in 1..=12 {
            for day in 1..=31 {
                days.push(bucket("day#USD#2026", &format!("2026-{month:02}-{day:02}"), &all));
            }
        }
        fill(&service, days).await?;
        let spent = read(&service, "get-sales", "/analytics/sales?from=2026-01-01&to=2026-12-31").await?;
        ensure!(spent <= 100, "{spent} read units");
        Ok(())
    })
}

/// Each of 2,000 products is sold on each of 31 days, and on each some of it is taken back.
#[test]
fn a_month_of_2_000_products_costs_at_most_800_read_units() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let figures = [("units", 25), ("gross", 123_456), ("c_units", 2), ("c_gross", 9_876)];
        let mut rows = Vec::new();
        for day in 1..=31 {
            for product in 0..2_000 {
                rows.push(bucket(
                    &format!("units#USD#2026-03-{day:02}"),
                    &format!("prd_{product:026}"),
                    &figures,
                ));
            }
        }
        fill(&service, rows).await?;
        let path = "/analytics/products?from=2026-03-01&to=2026-03-31";
        let before = units(&service, "get-product-sales").half_reads;
        let top = get(&service, path).await?.expect(200)?;
        let spent = (units(&service, "get-product-sales").half_reads - before).div_ceil(2);
        // With the keys and the account, which every request asks for.
        ensure!(spent <= 800, "{spent} read units");
        ensure!(top.body["data"][0]["units"] == 25 * 31, "{}", top.text);
        Ok(())
    })
}

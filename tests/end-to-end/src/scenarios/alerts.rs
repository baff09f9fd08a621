//! Alerts: raised once when a product runs low or is sold out, and over when there is enough again.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// The alerts of a product, of either status, as kind and status; each has the product's id.
async fn alerts(shop: &Shop, product: &str) -> Result<Vec<(String, String)>> {
    let administrator = shop.administrator()?;
    let mut alerts = Vec::new();
    for status in ["open", "closed"] {
        // Those of a scenario that runs now are among the newest, whoever else's there are.
        for page in steps::pages(&administrator, &format!("/alerts?status={status}&limit=100")).await? {
            for alert in page.at("/data")?.as_array().into_iter().flatten() {
                if alert["product_id"] == product {
                    ensure!(alert["status"] == status, page.wrong("an alert of another status"));
                    ensure!(
                        alert["resolved_at"].is_null() == (status == "open"),
                        page.wrong("an alert that is open and over")
                    );
                    alerts.push((alert["kind"].as_str().unwrap_or_default().to_owned(), status.to_owned()));
                }
            }
        }
    }
    alerts.sort_unstable();
    Ok(alerts)
}

async fn alerts_become(shop: &Shop, product: &str, expected: &[(&str, &str)]) -> Result<()> {
    let expected: Vec<_> =
        expected.iter().map(|(kind, status)| ((*kind).to_owned(), (*status).to_owned())).collect();
    until(&format!("the alerts of {product} to be {expected:?}"), shop.patience(), async || {
        let found = alerts(shop, product).await?;
        Ok(if found == expected { Look::Done(()) } else { Look::NotYet(format!("{found:?}")) })
    })
    .await
}

/// A product that is sold below its threshold raises one alert, however often it is sold again; the last one raises
/// another; and both are over when there is enough again.
pub(super) async fn stock_below_its_threshold_raises_one_alert(shop: &Shop) -> Result<()> {
    let (administrator, buyer) = (shop.administrator()?, shop.buyer()?);
    let product = shop.unique("e2e");
    let body = json!({
        "id": product, "name": "A test's product", "price": 2, "stock": 6, "low_stock_threshold": 5,
    });
    administrator.post("/products").json(&body).await?.expect(201)?;
    for _ in 0..3 {
        let order = steps::place(&buyer, &[(&product, 1)]).await?;
        steps::settles_as(&buyer, &order, "confirmed").await?;
    }
    alerts_become(shop, &product, &[("low_stock", "open")]).await?;
    let last = steps::place(&buyer, &[(&product, 3)]).await?;
    steps::settles_as(&buyer, &last, "confirmed").await?;
    alerts_become(shop, &product, &[("low_stock", "open"), ("sold_out", "open")]).await?;
    let stock = format!("/products/{product}/stock");
    let change = json!({"stock": 5, "low_stock_threshold": 2});
    let changed = administrator.patch(stock.clone()).json(&change).await?.expect(200)?;
    changed.has("/low_stock_threshold", 2)?;
    alerts_become(shop, &product, &[("low_stock", "closed"), ("sold_out", "closed")]).await?;
    administrator.get(stock).await?.expect(200)?.has("/low_stock_threshold", 2)
}

/// Nothing needs to be done about a product that is no longer sold.
pub(super) async fn a_deleted_product_s_alerts_are_over(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 2.50, 3).await?;
    let stock: Value = json!({"low_stock_threshold": 4});
    administrator.patch(format!("/products/{product}/stock")).json(&stock).await?.expect(200)?;
    alerts_become(shop, &product, &[("low_stock", "open")]).await?;
    administrator.delete(format!("/products/{product}")).await?.expect(204)?;
    alerts_become(shop, &product, &[("low_stock", "closed")]).await
}

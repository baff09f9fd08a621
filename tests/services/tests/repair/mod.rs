//! Events that are lost for good and items that somebody spoilt, and what finds and mends them: the sweeper, and the
//! two verifications. All services run together, as the template wires them.

mod healthy;
mod resuming;
mod snapshots;
mod statistics;
mod stock;
mod sweeping;
mod unreadable;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::{join_all, try_join_all};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Books, Service};
use shop_lambda::{Function, recovery};
use shop_local::cloud::{AwsError, Call, Interceptor, Options};

const REPAIR: &str = r#"{"repair": true}"#;
/// Longer than what changed is left alone by a verification.
const GRACE_PERIOD: Duration = recovery::GRACE_PERIOD.saturating_add(Duration::from_mins(1));
/// reserve-stock never hears of a cancellation.
const NO_RELEASE: (&str, &str) =
    ("[order.created, order.stalled, order.cancelled]", "[order.created, order.stalled]");
/// reserve-stock never hears of anything.
const NO_STOCK: (&str, &str) = ("[order.created, order.stalled, order.cancelled]", "[order.shipped]");
/// The statistics never hear of anything.
const NO_STATISTICS: (&str, &str) = ("[order.confirmed, order.cancelled]", "[order.shipped]");

/// While it is on, the topic takes no event of one relay, ever: they are dead-lettered, and nobody gets them.
#[derive(Default)]
struct Loss {
    relay: &'static str,
    is_on: AtomicBool,
}

impl Loss {
    fn of(relay: &'static str) -> Arc<Self> {
        Arc::new(Self { relay, is_on: AtomicBool::new(true) })
    }

    fn end(&self) {
        self.is_on.store(false, Ordering::Relaxed);
    }

    fn options(self: &Arc<Self>, seed: u64) -> Options {
        let interceptor: Arc<dyn Interceptor> = self.clone();
        Options { interceptor: Some(interceptor), ..Options::simulated(seed) }
    }
}

impl Interceptor for Loss {
    fn fails_entry(&self, call: &Call, _: &str) -> Option<AwsError> {
        let is_lost = &*call.caller == self.relay && self.is_on.load(Ordering::Relaxed);
        is_lost.then(|| AwsError::client("InvalidParameter", "lost"))
    }
}

/// A shop with 100 mugs and 5 cups, and ten orders for a cup each and 1 to 10 mugs.
struct Shop {
    service: Service,
    orders: Vec<String>,
}

impl Shop {
    /// A shop whose events have gone as far as they will.
    async fn start(options: Options, replacements: &[(&str, &str)]) -> Result<Self> {
        Self::of(&services::functions(), options, replacements).await
    }

    /// A shop of some of the functions, whose template has something else in the place of some of its text.
    async fn of(functions: &[Function], options: Options, replacements: &[(&str, &str)]) -> Result<Self> {
        let service = Service::start_with(functions, options, replacements).await?;
        let mut shop = Self { service, orders: Vec::new() };
        for (product, stock) in [("mug", 100), ("cup", 5)] {
            let body = json!({"id": product, "name": "P", "price": 1.50, "stock": stock});
            shop.service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        }
        shop.orders = shop.ten_orders().await?;
        shop.service.settled().await?;
        Ok(shop)
    }

    /// Places ten orders. Their ids.
    async fn ten_orders(&self) -> Result<Vec<String>> {
        let placed = (1..=10).map(|number| async move {
            let items =
                json!([{"product_id": "mug", "quantity": number}, {"product_id": "cup", "quantity": 1}]);
            let order = json!({"items": items});
            let answer = self.service.send(Method::POST, "/orders", Some(&order)).await?.expect(201)?;
            Ok::<_, anyhow::Error>(answer.body["id"].as_str().context("an id")?.to_owned())
        });
        try_join_all(placed).await
    }

    async fn cancel(&self, orders: &[String]) -> Result<()> {
        for order in orders {
            self.service.send(Method::POST, &format!("/orders/{order}/cancel"), None).await?.expect(200)?;
        }
        Ok(())
    }

    /// Those of the orders that are confirmed.
    async fn confirmed(&self) -> Result<Vec<String>> {
        let mut confirmed = Vec::new();
        for order in &self.orders {
            let found =
                self.service.send(Method::GET, &format!("/orders/{order}"), None).await?.expect(200)?;
            if found.body["status"] == "confirmed" {
                confirmed.push(order.clone());
            }
        }
        Ok(confirmed)
    }

    /// The administrator's user id, who places the orders.
    async fn user(&self) -> Result<String> {
        let stats = self.service.send(Method::GET, "/users/me/stats", None).await?.expect(200)?;
        Ok(stats.body["user_id"].as_str().context("a user id")?.to_owned())
    }

    /// The reports of both verifications.
    async fn verify(&self, payload: &str) -> Result<[Value; 2]> {
        let payload = serde_json::from_str(payload)?;
        Ok([
            self.service.invoke("verify-stock", &payload).await?,
            self.service.invoke("verify-user-stats", &payload).await?,
        ])
    }

    /// Holds that neither verification finds anything, or leaves anything out.
    async fn nothing_is_found(&self) -> Result<()> {
        for report in self.verify("{}").await? {
            ensure!(
                report["found"] == 0 && report["not_judged"] == 0 && report["complete"] == true,
                "{report}"
            );
        }
        Ok(())
    }

    /// Holds that two runs at once put right so much together, and each thing once; a third finds nothing.
    async fn repairs_at_once(&self, function: &str, expected: u64) -> Result<()> {
        let payload: Value = serde_json::from_str(REPAIR)?;
        let runs = join_all((0..2).map(|_| self.service.invoke(function, &payload))).await;
        let runs = runs.into_iter().collect::<Result<Vec<_>>>()?;
        let repaired: u64 = runs.iter().filter_map(|report| report["repaired"].as_u64()).sum();
        ensure!(repaired == expected, "{runs:?}");
        self.service.settled().await?;
        let again = self.service.invoke(function, &payload).await?;
        ensure!(again["found"] == 0, "{again}");
        Ok(())
    }

    /// Holds that the books agree.
    async fn agrees(&self) -> Result<()> {
        Books::read(&self.service).await?.agree()
    }

    /// Writes values into an item, past the services' own code. An order's key is its id alone.
    async fn spoil(&self, table: &str, key: &[&str], values: &[(&str, AttributeValue)]) -> Result<()> {
        let client = Client::new(&self.service.cloud.sdk_config("test"));
        let table = self.service.cloud.physical(table).context(table.to_owned())?;
        let names: &[&str] = if key.len() == 1 { &["id"] } else { &["pk", "sk"] };
        let key = names.iter().zip(key).map(|(name, value)| ((*name).to_owned(), text(value)));
        let key: HashMap<_, _> = key.collect();
        for (name, value) in values {
            client
                .update_item()
                .table_name(table)
                .set_key(Some(key.clone()))
                .update_expression("SET #name = :value")
                .expression_attribute_names("#name", *name)
                .expression_attribute_values(":value", value.clone())
                .send()
                .await?;
        }
        Ok(())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

//! reserve-stock when calls fail, answers are lost, and messages are poison.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::{BoxFuture, FutureExt, ready};
use http::Method;
use serde_json::json;
use service_tests::{Service, order_event, simulate};
use shop_events::{EventData, EventType, OrderCancelled};
use shop_local::cloud::{AwsError, Call, Delivery, Fault, Interceptor, Options};
use shop_types::OrderId;

/// Disturbs the calls of reserve-stock by a generator of its own: a fault in six, before or after.
struct Trouble(Mutex<u64>);

impl Trouble {
    fn seeded(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(seed)))
    }

    /// A number below `bound`; `SplitMix64`.
    fn below(&self, bound: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn fault(&self, call: &Call) -> Option<Fault> {
        if &*call.caller != "reserve-stock" {
            return None;
        }
        match self.below(12) {
            0 => Some(Fault::Disconnected),
            1 => Some(Fault::Error(AwsError::client("ProvisionedThroughputExceededException", "slow down"))),
            _ => None,
        }
    }
}

impl Interceptor for Trouble {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        ready(self.fault(call)).boxed()
    }

    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        ready(self.fault(call)).boxed()
    }

    fn deliver(&self, _: &Delivery<'_>) -> (u32, Duration) {
        (1 + u32::from(self.below(4) == 0), Duration::from_millis(self.below(300)))
    }
}

#[test]
fn the_books_are_right_whatever_goes_wrong() -> Result<()> {
    for seed in 0..8 {
        simulate(orders_in_trouble(seed)).with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

async fn orders_in_trouble(seed: u64) -> Result<()> {
    const ORDERS: u32 = 60;
    let options = Options { interceptor: Some(Trouble::seeded(seed)), ..Options::simulated(seed) };
    let service = Service::start(&products::SERVICE.functions(), options).await?;
    for product in ["a", "b"] {
        let body = json!({"id": product, "name": "P", "price": 1, "stock": 50});
        service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
    }
    let mut events = Vec::new();
    for number in 0..ORDERS {
        let order = OrderId::derived(b"test", "test", &number.to_string());
        let lines = [("a", 1 + number % 3), ("b", 1)];
        events.push(order_event(&order, i64::from(number), &lines, EventData::OrderCreated)?);
        if number % 4 == 0 {
            events.push(order_event(&order, i64::from(number), &lines, |order| {
                EventData::OrderCancelled(OrderCancelled { order, cancelled_from: None })
            })?);
        }
    }
    // Some cancellations overtake their orders.
    events.rotate_left(7);
    service.send_events("ReserveStockQueue", &events).await?;
    service.settled().await?;

    assert_eq!(service.cloud.queues()["ReserveStockDeadLetterQueue"].visible, 0, "a message was given up");
    let published = service.take_events("SettleOrderQueue").await?;
    let mut outcome: BTreeMap<String, EventType> = BTreeMap::new();
    for event in &published {
        let before = outcome.insert(event.subject(), event.event_type());
        assert!(
            before.is_none_or(|before| before == event.event_type()),
            "two outcomes of {}",
            event.subject()
        );
    }
    let mut reserved = [0, 0];
    for number in 0..ORDERS {
        let order = OrderId::derived(b"test", "test", &number.to_string());
        let kind = outcome.get(order.as_str());
        assert!(kind.is_some() || number % 4 == 0, "order {number} has no outcome");
        if kind == Some(&EventType::InventoryReserved) && number % 4 != 0 {
            reserved[0] += u64::from(1 + number % 3);
            reserved[1] += 1;
        }
    }
    for (product, reserved) in ["a", "b"].into_iter().zip(reserved) {
        let refused = service
            .send(
                Method::PATCH,
                &format!("/products/{product}/stock"),
                Some(&json!({"delta": 1_000_000_000})),
            )
            .await?
            .problem(409, "too_much_stock")?;
        assert_eq!(refused.body["reserved"], reserved, "{product}");
        assert_eq!(refused.body["stock"], 50 - reserved, "{product}");
    }
    Ok(())
}

#[test]
fn a_poison_message_ends_as_it_came_and_holds_nobody_back() -> Result<()> {
    simulate(async {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        let mug = json!({"id": "mug", "name": "Mug", "price": 1, "stock": 5});
        service.send(Method::POST, "/products", Some(&mug)).await?.expect(201)?;
        let order = OrderId::derived(b"test", "test", "order");
        let good = order_event(&order, 1, &[("mug", 2)], EventData::OrderCreated)?;
        service.send_bodies("ReserveStockQueue", &["{not an event", &good.to_json()?]).await?;
        service.settled().await?;
        assert_eq!(service.take_bodies("ReserveStockDeadLetterQueue").await?, ["{not an event"]);
        let published = service.take_events("SettleOrderQueue").await?;
        assert_eq!(published.len(), 1);
        assert_eq!(published[0].event_type(), EventType::InventoryReserved);
        Ok(())
    })
}

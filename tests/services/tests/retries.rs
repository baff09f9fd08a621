//! When what a consumer failed comes again: soon at first, after a quarter of an hour at last, and what is no event not
//! at all. All services run together, as the template wires them, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::{BoxFuture, FutureExt, ready};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Service, order_event, simulate, workspace};
use shop_events::EventData;
use shop_lambda::recovery::{BORNE_OUTAGE, RETRIED_AT_LEAST, RETRIED_FOR, VISIBILITY_TIMEOUT};
use shop_lambda::{Function, Kind};
use shop_local::cloud::{AwsError, Call, Fault, Interceptor, Options, Service as AwsService};
use shop_local::template::Template;
use shop_types::{OrderId, Timestamp};

const PUT_OFF: &str = "ChangeMessageVisibilityBatch";

/// A shop with a hundred mugs.
async fn shop(options: Options) -> Result<Service> {
    let service = Service::start(&services::functions(), options).await?;
    let mug = json!({"id": "mug", "name": "Mug", "price": 3, "stock": 100});
    service.send(Method::POST, "/products", Some(&mug)).await?.expect(201)?;
    service.settled().await?;
    Ok(service)
}

/// The administrator orders a mug. The order's id.
async fn order(service: &Service) -> Result<String> {
    let order = json!({"items": [{"product_id": "mug", "quantity": 1}]});
    let answer = service.send(Method::POST, "/orders", Some(&order)).await?.expect(201)?;
    Ok(answer.body["id"].as_str().context("an id")?.to_owned())
}

async fn status(service: &Service, order: &str) -> Result<Value> {
    let found = service.send(Method::GET, &format!("/orders/{order}"), None).await?.expect(200)?;
    Ok(found.body["status"].clone())
}

/// Waits until something is so, a tenth of a second at a time. How long that took.
async fn until(
    service: &Service,
    since: Timestamp,
    is_so: impl AsyncFn() -> Result<bool>,
) -> Result<Duration> {
    let mut most = 1_000_000;
    while !is_so().await? {
        most -= 1;
        ensure!(most > 0, "it is never so");
        service.pass(Duration::from_millis(100)).await;
    }
    Ok(service.now()?.abs_diff(since))
}

/// What DynamoDB answers to a write whose items others are at work on; none to anything else.
fn conflict(call: &Call) -> Option<AwsError> {
    const CANCELED: &str = "TransactionCanceledException";
    match call.operation.as_str() {
        "UpdateItem" => Some(AwsError::client("TransactionConflictException", "met")),
        "TransactWriteItems" => {
            let body: Value = serde_json::from_slice(&call.body).ok()?;
            let writes = body["TransactItems"].as_array()?.iter();
            let reasons: Vec<_> = writes.map(|_| json!({"Code": "TransactionConflict"})).collect();
            let body = json!({"__type": CANCELED, "message": "met", "CancellationReasons": reasons});
            Some(AwsError::client(CANCELED, "met").with_body(&body))
        }
        _ => None,
    }
}

/// How long an order is pending of which one consumer's first delivery fails by a conflict, all its tries.
async fn pending_with_a_conflict_in(consumer: &'static str) -> Result<Duration> {
    let calls = Calls::of(consumer);
    let service = shop(calls.options(1)).await?;
    let is_over = AtomicBool::new(false);
    calls.fail(move |call| {
        if call.operation == PUT_OFF {
            is_over.store(true, Ordering::Relaxed);
        }
        if is_over.load(Ordering::Relaxed) { None } else { conflict(call).map(Fault::Error) }
    });
    let placed = service.now()?;
    let order = order(&service).await?;
    let pending =
        until(&service, placed, async || Ok(status(&service, &order).await? == "confirmed")).await?;
    ensure!(calls.take_operations().contains(&PUT_OFF.to_owned()), "nothing failed");
    Ok(pending)
}

#[test]
fn a_conflict_delays_an_order_by_a_second_or_two() -> Result<()> {
    for consumer in ["reserve-stock", "settle-order"] {
        simulate(async {
            let pending = pending_with_a_conflict_in(consumer).await.context(consumer)?;
            // What the consumer itself takes for its tries comes on top, and what an order takes without any conflict.
            ensure!((1000..=4500).contains(&pending.as_millis()), "{consumer}: {pending:?}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_consumer_that_dies_before_it_can_say_so_has_its_queue_s_time() -> Result<()> {
    simulate(async {
        let calls = Calls::of("settle-order");
        let service = shop(calls.options(2)).await?;
        let is_over = AtomicBool::new(false);
        calls.fail(move |call| match call.operation.as_str() {
            PUT_OFF => {
                is_over.store(true, Ordering::Relaxed);
                Some(Fault::Crashed)
            }
            _ if is_over.load(Ordering::Relaxed) => None,
            _ => conflict(call).map(Fault::Error),
        });
        let placed = service.now()?;
        let order = order(&service).await?;
        let pending =
            until(&service, placed, async || Ok(status(&service, &order).await? == "confirmed")).await?;
        ensure!(pending >= VISIBILITY_TIMEOUT, "{pending:?}");
        ensure!(pending <= VISIBILITY_TIMEOUT + Duration::from_secs(5), "{pending:?}");
        Ok(())
    })
}

/// While it is on, DynamoDB refuses every consumer, whichever there are.
struct Outage {
    is_on: AtomicBool,
    consumers: BTreeSet<&'static str>,
}

impl Outage {
    fn new() -> Self {
        let functions = services::functions();
        let consumers = functions.iter().filter(|function| function.kind() == Kind::Consumer);
        Self { is_on: AtomicBool::new(false), consumers: consumers.map(Function::name).collect() }
    }
}

/// The dead-letter queues of the template.
fn dead_letter_queues() -> Result<Vec<String>> {
    let template = Template::load(&workspace().join("template.yaml"), &BTreeMap::new())?;
    let queues: BTreeSet<_> =
        template.queues.values().filter_map(|queue| Some(queue.redrive.as_ref()?.queue.clone())).collect();
    ensure!(queues.len() > 5, "only {queues:?}");
    Ok(queues.into_iter().collect())
}

impl Interceptor for Outage {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_refused = self.is_on.load(Ordering::Relaxed)
            && call.service == AwsService::DynamoDb
            && self.consumers.contains(&*call.caller);
        let error = || Fault::Error(AwsError::service("InternalServerError", "down"));
        ready(is_refused.then(error)).boxed()
    }
}

#[test]
fn an_outage_of_an_hour_costs_no_message_and_is_over_a_quarter_of_an_hour_after() -> Result<()> {
    for seed in 0..4 {
        simulate(async {
            let outage = Arc::new(Outage::new());
            let interceptor: Arc<dyn Interceptor> = Arc::<Outage>::clone(&outage);
            let service =
                shop(Options { interceptor: Some(interceptor), ..Options::simulated(seed) }).await?;
            // Some orders are confirmed when it begins, so that their statistics are on their way.
            let mut orders = vec![order(&service).await?];
            until(&service, service.now()?, async || Ok(status(&service, &orders[0]).await? == "confirmed"))
                .await?;
            outage.is_on.store(true, Ordering::Relaxed);
            for _ in 0..12 {
                orders.push(order(&service).await?);
                service.pass(BORNE_OUTAGE / 12).await;
            }
            for order in &orders[1..] {
                ensure!(status(&service, order).await? == "pending", "{order} is settled in the outage");
            }
            outage.is_on.store(false, Ordering::Relaxed);
            service.pass(Duration::from_mins(15)).await;
            for order in &orders {
                ensure!(status(&service, order).await? == "confirmed", "{order} is not");
            }
            let stats = service.send(Method::GET, "/users/me/stats", None).await?.expect(200)?;
            ensure!(stats.body["orders_placed"] == orders.len(), "{}", stats.text);
            for queue in dead_letter_queues()? {
                ensure!(service.depth(&queue) == 0, "{queue} has {}", service.depth(&queue));
            }
            Ok(())
        })
        .with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

#[test]
fn a_malformed_message_is_parked_within_seconds_and_its_neighbours_are_done() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(3)).await?;
        let order = OrderId::derived(b"test", "test", "order");
        let good = order_event(&order, 1, &[("mug", 2)], EventData::OrderCreated)?.to_json()?;
        let sent = service.now()?;
        service.send_bodies("ReserveStockQueue", &["{not an event", &good, "[]"]).await?;
        let done = until(&service, sent, async || Ok(service.depth("ReserveStockQueue") == 0)).await?;
        ensure!(done < Duration::from_secs(10), "parked after {done:?}");
        let parked = service.take_bodies("ReserveStockDeadLetterQueue").await?;
        assert_eq!(parked.len(), 2);
        assert!(parked.iter().all(|body| body == "{not an event" || body == "[]"), "{parked:?}");
        let stock = service.send(Method::GET, "/products/mug/stock", None).await?.expect(200)?;
        assert_eq!(stock.body["reserved"], 2, "{}", stock.text);
        Ok(())
    })
}

#[test]
fn a_message_that_fails_each_time_is_tried_for_more_than_an_hour() -> Result<()> {
    for seed in 0..4 {
        simulate(async {
            let calls = Calls::of("settle-order");
            let service = shop(calls.options(seed)).await?;
            calls.fail(|call| {
                (call.service == AwsService::DynamoDb)
                    .then(|| Fault::Error(AwsError::service("InternalServerError", "down")))
            });
            let sent = service.now()?;
            let order = OrderId::derived(b"test", "test", "order");
            let event = order_event(&order, 1, &[("mug", 1)], EventData::OrderCreated)?;
            service.send_events("ReserveStockQueue", &[event]).await?;
            let parked =
                until(&service, sent, async || Ok(service.depth("SettleOrderDeadLetterQueue") == 1)).await?;
            ensure!((RETRIED_AT_LEAST..=RETRIED_FOR).contains(&parked), "parked after {parked:?}");
            let tries = calls.take_operations().iter().filter(|operation| *operation == PUT_OFF).count();
            ensure!(tries == 9, "tried {tries} times");
            Ok(())
        })
        .with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

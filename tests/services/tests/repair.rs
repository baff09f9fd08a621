//! Events that are lost for good, and what finds and mends it: the sweeper, and the two verifications. All services
//! run together, as the template wires them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::{join_all, try_join_all};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Books, Service, simulate};
use shop_lambda::Function;
use shop_local::cloud::{AwsError, Call, Interceptor, Options};

const REPAIR: &str = r#"{"repair": true}"#;
/// As long as an order may take to be final after what was broken is mended.
const DEADLINE: Duration = Duration::from_mins(15);
/// Longer than what changed is left alone by a verification.
const QUIET: Duration = Duration::from_mins(16);

fn functions() -> Vec<Function> {
    [orders::FUNCTIONS, products::FUNCTIONS, users::FUNCTIONS].concat()
}

/// While it is on, the topic takes no event of one relay, ever: they are parked, and nobody gets them.
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

/// Two products, of which one has less than is wanted.
async fn stocked(service: &Service) -> Result<()> {
    for (product, stock) in [("mug", 100), ("cup", 5)] {
        let body = json!({"id": product, "name": "P", "price": 1.50, "stock": stock});
        service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
    }
    Ok(())
}

/// Places ten orders, some of them for more cups than there are. Their ids.
async fn ten_orders(service: &Service) -> Result<Vec<String>> {
    let placed = (1..=10).map(|number| async move {
        let lines = json!({"items": [{"product_id": "mug", "quantity": number}, {"product_id": "cup", "quantity": 1}]});
        let answer = service.send(Method::POST, "/orders", Some(&lines)).await?.expect(201)?;
        Ok::<_, anyhow::Error>(answer.body["id"].as_str().context("an id")?.to_owned())
    });
    try_join_all(placed).await
}

async fn cancel(service: &Service, orders: &[String]) -> Result<()> {
    for order in orders {
        service.send(Method::POST, &format!("/orders/{order}/cancel"), None).await?.expect(200)?;
    }
    Ok(())
}

async fn verify(service: &Service, payload: &str) -> Result<[Value; 2]> {
    let payload = serde_json::from_str(payload)?;
    Ok([
        service.invoke("verify-stock", &payload).await?,
        service.invoke("verify-user-stats", &payload).await?,
    ])
}

/// Holds that neither verification finds anything, or leaves anything out.
async fn nothing_is_found(service: &Service) -> Result<()> {
    for report in verify(service, "{}").await? {
        ensure!(report["found"] == 0 && report["not_judged"] == 0 && report["complete"] == true, "{report}");
    }
    Ok(())
}

/// The ids of the events that a queue of the test's own has got, each with its content.
async fn told(service: &Service, queue: &str) -> Result<Vec<(String, String)>> {
    let events = service.take_events(queue).await?;
    events.iter().map(|event| Ok((event.id().to_string(), event.to_json()?))).collect()
}

#[test]
fn a_healthy_shop_has_no_stalled_order_and_no_drift() -> Result<()> {
    simulate(async {
        let service = Service::start(&functions(), Options::simulated(1)).await?;
        stocked(&service).await?;
        let orders = ten_orders(&service).await?;
        service.settled().await?;
        cancel(&service, &confirmed(&service, &orders).await?[..3]).await?;
        // In the midst of it, and when it is over, and after a while.
        for wait in [Duration::ZERO, Duration::from_secs(2), QUIET] {
            service.pass(wait).await;
            for report in verify(&service, REPAIR).await? {
                assert_eq!(report["found"], 0, "{report}");
            }
            let swept = service.invoke("sweep-orders", &json!({})).await?;
            assert_eq!((&swept["found"], &swept["failed"]), (&json!(0), &json!(0)), "{swept}");
        }
        let [stock, stats] = verify(&service, "{}").await?;
        assert_eq!(stock["checked"], json!({"counters": 2, "reservations": 10, "orders": 10}));
        assert_eq!(stats["checked"]["orders"], 10);
        nothing_is_found(&service).await?;
        Books::read(&service).await?.agree()
    })
}

#[test]
fn orders_whose_creation_nobody_heard_of_are_final_in_time() -> Result<()> {
    simulate(async {
        let loss = Loss::of("publish-order-events");
        let service = Service::start(&functions(), loss.options(2)).await?;
        stocked(&service).await?;
        ten_orders(&service).await?;
        service.settled().await?;
        // As long as this goes on, each sweep nudges them, and that is lost as well.
        service.pass(Duration::from_hours(2)).await;
        assert_eq!(Books::read(&service).await?.statuses()?, [("pending".to_owned(), 10)].into());
        loss.end();
        service.pass(DEADLINE).await;
        let books = Books::read(&service).await?;
        assert_eq!(books.statuses()?, [("confirmed".to_owned(), 5), ("rejected".to_owned(), 5)].into());
        books.agree()?;
        service.pass(QUIET).await;
        nothing_is_found(&service).await
    })
}

#[test]
fn orders_that_did_not_hear_of_their_stock_are_told_again_by_the_same_events() -> Result<()> {
    simulate(async {
        let loss = Loss::of("publish-product-events");
        let service = Service::start(&functions(), loss.options(3)).await?;
        stocked(&service).await?;
        ten_orders(&service).await?;
        service.settled().await?;
        let before = Books::read(&service).await?.statuses()?;
        assert_eq!(before, [("pending".to_owned(), 10)].into());
        // It is told once more while that is lost, too.
        service.pass(Duration::from_mins(11)).await;
        loss.end();
        service.pass(DEADLINE).await;
        let books = Books::read(&service).await?;
        assert_eq!(books.statuses()?, [("confirmed".to_owned(), 5), ("rejected".to_owned(), 5)].into());
        books.agree()?;
        service.pass(QUIET).await;
        nothing_is_found(&service).await
    })
}

#[test]
fn what_is_told_once_more_stands_for_the_same_content() -> Result<()> {
    simulate(async {
        // Without its consumer, the queue keeps what settle-order would get.
        let functions: Vec<_> =
            functions().into_iter().filter(|function| function.name() != "settle-order").collect();
        let service = Service::start(&functions, Options::simulated(4)).await?;
        stocked(&service).await?;
        ten_orders(&service).await?;
        service.pass(Duration::from_mins(31)).await;
        let told = told(&service, "SettleOrderQueue").await?;
        let distinct: BTreeSet<_> = told.iter().collect();
        let ids: BTreeSet<_> = told.iter().map(|(id, _)| id).collect();
        assert_eq!((ids.len(), distinct.len()), (10, 10));
        // At first, and by a nudge after five minutes, ten and twenty.
        assert!(told.len() >= 40, "told {} times", told.len());
        Ok(())
    })
}

#[test]
fn two_sweeps_at_once_nudge_once_and_one_that_is_repeated_not_at_all() -> Result<()> {
    simulate(async {
        let loss = Loss::of("publish-order-events");
        // No schedule comes between.
        let no_schedule = [("Schedule: rate(5 minutes)", "Schedule: rate(7 days)")];
        let service = Service::start_with(&functions(), loss.options(5), &no_schedule).await?;
        stocked(&service).await?;
        ten_orders(&service).await?;
        service.pass(Duration::from_mins(4)).await;
        let swept = service.invoke("sweep-orders", &json!({})).await?;
        assert_eq!((&swept["pending"], &swept["found"]), (&json!(10), &json!(0)));
        service.pass(Duration::from_mins(2)).await;
        let payload = json!({});
        let sweeps = (0..3).map(|_| service.invoke("sweep-orders", &payload));
        let sweeps = try_join_all(sweeps).await?;
        let sum = |name: &str| sweeps.iter().filter_map(|swept| swept[name].as_u64()).sum::<u64>();
        assert_eq!((sum("found"), sum("nudged"), sum("let_be"), sum("failed")), (30, 10, 20, 0));
        let again = service.invoke("sweep-orders", &json!({})).await?;
        assert_eq!((&again["pending"], &again["found"]), (&json!(10), &json!(0)));
        Ok(())
    })
}

#[test]
fn stock_that_cancelled_orders_hold_for_ever_is_released_when_told_to() -> Result<()> {
    simulate(async {
        // reserve-stock never hears of a cancellation.
        let deaf = [("[order.created, order.stalled, order.cancelled]", "[order.created, order.stalled]")];
        let service = Service::start_with(&functions(), Options::simulated(6), &deaf).await?;
        stocked(&service).await?;
        let orders = ten_orders(&service).await?;
        service.settled().await?;
        let confirmed = confirmed(&service, &orders).await?;
        cancel(&service, &confirmed[..2]).await?;
        service.settled().await?;
        let [fresh, _] = verify(&service, REPAIR).await?;
        assert_eq!((&fresh["found"], &fresh["not_judged"]), (&json!(0), &json!(2)), "{fresh}");
        service.pass(QUIET).await;

        let [report, stats] = verify(&service, "{}").await?;
        assert_eq!((&report["found"], &report["repaired"]), (&json!(2), &json!(0)), "{report}");
        assert_eq!(stats["found"], 0, "{stats}");
        let drift = &report["drift"][0];
        assert_eq!((&drift["expected"], &drift["found"]), (&json!("released"), &json!("reserved")));
        assert_eq!((&drift["kind"], &drift["remedy"]), (&json!("reservation"), &json!("not_asked")));
        Books::read(&service).await?.agree().expect_err("nothing is repaired that nobody asked for");

        repaired_at_once(&service, "verify-stock", 2).await?;
        Books::read(&service).await?.agree()?;
        service.pass(QUIET).await;
        nothing_is_found(&service).await
    })
}

#[test]
fn a_cancelled_order_without_an_entry_gets_a_tombstone() -> Result<()> {
    simulate(async {
        // Neither reserve-stock nor the statistics hear of anything.
        let deaf = [
            ("[order.created, order.stalled, order.cancelled]", "[order.shipped]"),
            ("[order.confirmed, order.cancelled]", "[order.shipped]"),
        ];
        let service = Service::start_with(&functions(), Options::simulated(7), &deaf).await?;
        stocked(&service).await?;
        let orders = ten_orders(&service).await?;
        cancel(&service, &orders).await?;
        service.settled().await?;
        service.pass(QUIET).await;
        for report in verify(&service, REPAIR).await? {
            assert_eq!((&report["found"], &report["repaired"]), (&json!(10), &json!(10)), "{report}");
        }
        Books::read(&service).await?.agree()?;
        service.pass(QUIET).await;
        nothing_is_found(&service).await
    })
}

#[test]
fn orders_that_the_statistics_missed_are_counted_and_taken_off() -> Result<()> {
    simulate(async {
        let deaf = [("[order.confirmed, order.cancelled]", "[order.shipped]")];
        let service = Service::start_with(&functions(), Options::simulated(8), &deaf).await?;
        stocked(&service).await?;
        let orders = ten_orders(&service).await?;
        service.settled().await?;
        let confirmed = confirmed(&service, &orders).await?;
        assert_eq!(confirmed.len(), 5);
        service.pass(QUIET).await;
        repaired_at_once(&service, "verify-user-stats", 5).await?;
        Books::read(&service).await?.agree()?;

        cancel(&service, &confirmed[..2]).await?;
        service.settled().await?;
        service.pass(QUIET).await;
        repaired_at_once(&service, "verify-user-stats", 2).await?;
        Books::read(&service).await?.agree()?;
        service.pass(QUIET).await;
        nothing_is_found(&service).await
    })
}

#[test]
fn counters_and_statistics_that_somebody_spoilt_are_recomputed() -> Result<()> {
    simulate(async {
        let service = Service::start(&functions(), Options::simulated(9)).await?;
        stocked(&service).await?;
        ten_orders(&service).await?;
        service.settled().await?;
        service.pass(QUIET).await;
        set(&service, "ProductsTable", ("mug", "stock"), &[("reserved", 7)]).await?;
        set(&service, "ProductsTable", ("cup", "stock"), &[("available", 3)]).await?;
        let user = user_of(&service).await?;
        set(&service, "UsersTable", (&user, "stats"), &[("orders_placed", 9)]).await?;
        Books::read(&service).await?.agree().expect_err("they are spoilt");

        repaired_at_once(&service, "verify-stock", 2).await?;
        repaired_at_once(&service, "verify-user-stats", 1).await?;
        Books::read(&service).await?.agree()?;
        nothing_is_found(&service).await
    })
}

#[test]
fn what_is_wrong_with_the_counter_does_not_keep_stock_from_being_released() -> Result<()> {
    simulate(async {
        let deaf = [("[order.created, order.stalled, order.cancelled]", "[order.created, order.stalled]")];
        let service = Service::start_with(&functions(), Options::simulated(10), &deaf).await?;
        stocked(&service).await?;
        let orders = ten_orders(&service).await?;
        service.settled().await?;
        let confirmed = confirmed(&service, &orders).await?;
        cancel(&service, &confirmed).await?;
        service.settled().await?;
        service.pass(QUIET).await;
        set(&service, "ProductsTable", ("mug", "stock"), &[("reserved", 0), ("available", 100)]).await?;
        repaired_at_once(&service, "verify-stock", 6).await?;
        Books::read(&service).await?.agree()
    })
}

#[test]
fn what_cannot_be_told_from_the_books_is_reported_and_left_alone() -> Result<()> {
    simulate(async {
        let service = Service::start(&functions(), Options::simulated(11)).await?;
        stocked(&service).await?;
        ten_orders(&service).await?;
        service.settled().await?;
        service.pass(QUIET).await;
        let total = [("total", 1), ("available", 1), ("reserved", 0)];
        set(&service, "ProductsTable", ("mug", "stock"), &total).await?;
        let [report, _] = verify(&service, REPAIR).await?;
        assert_eq!((&report["found"], &report["repaired"]), (&json!(1), &json!(0)), "{report}");
        assert_eq!(report["drift"][0]["remedy"], "none");
        Ok(())
    })
}

#[test]
fn a_busy_shop_is_never_found_wrong() -> Result<()> {
    for seed in 0..2 {
        simulate(verify_a_busy_shop(100 + seed)).with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

async fn verify_a_busy_shop(seed: u64) -> Result<()> {
    let options = Options { deliver_twice: true, ..Options::simulated(seed) };
    let service = Service::start(&functions(), options).await?;
    stocked(&service).await?;
    let is_over = AtomicBool::new(false);
    let work = async {
        for _ in 0..5 {
            let orders = ten_orders(&service).await?;
            // Some are cancelled when they have their stock, and some before.
            for order in orders.iter().step_by(2) {
                let path = format!("/orders/{order}/cancel");
                let answer = service.send(Method::POST, &path, None).await?;
                ensure!([200, 409].contains(&answer.status), "{answer:?}");
            }
            let stock = json!({"delta": 30});
            service.send(Method::PATCH, "/products/cup/stock", Some(&stock)).await?.expect(200)?;
        }
        service.settled().await?;
        is_over.store(true, Ordering::Relaxed);
        Ok(())
    };
    let checks = async {
        let mut not_judged = 0;
        while !is_over.load(Ordering::Relaxed) {
            for report in verify(&service, REPAIR).await? {
                ensure!(report["found"] == 0, "{report}");
                not_judged += report["not_judged"].as_u64().context("a count")?;
            }
        }
        Ok(not_judged)
    };
    let (worked, not_judged): (Result<()>, Result<u64>) = futures::join!(work, checks);
    worked?;
    ensure!(not_judged? > 0, "nothing was under way that could have been found");
    service.pass(QUIET).await;
    nothing_is_found(&service).await?;
    Books::read(&service).await?.agree()
}

/// Two runs at once put right so much together, and each thing once; a third finds nothing.
async fn repaired_at_once(service: &Service, function: &str, expected: u64) -> Result<()> {
    let payload: Value = serde_json::from_str(REPAIR)?;
    let runs = join_all((0..2).map(|_| service.invoke(function, &payload))).await;
    let runs = runs.into_iter().collect::<Result<Vec<_>>>()?;
    let repaired: u64 = runs.iter().filter_map(|report| report["repaired"].as_u64()).sum();
    ensure!(repaired == expected, "{runs:?}");
    service.settled().await?;
    let again = service.invoke(function, &payload).await?;
    ensure!(again["found"] == 0, "{again}");
    Ok(())
}

/// Those of some orders that are confirmed.
async fn confirmed(service: &Service, orders: &[String]) -> Result<Vec<String>> {
    let mut confirmed = Vec::new();
    for order in orders {
        let found = service.send(Method::GET, &format!("/orders/{order}"), None).await?.expect(200)?;
        if found.body["status"] == "confirmed" {
            confirmed.push(order.clone());
        }
    }
    Ok(confirmed)
}

/// The administrator's user id, who places the orders.
async fn user_of(service: &Service) -> Result<String> {
    let stats = service.send(Method::GET, "/users/me/stats", None).await?.expect(200)?;
    Ok(stats.body["user_id"].as_str().context("a user id")?.to_owned())
}

/// Writes numbers into an item, past the services' own code.
async fn set(service: &Service, table: &str, key: (&str, &str), values: &[(&str, u64)]) -> Result<()> {
    let client = Client::new(&service.cloud.sdk_config("test"));
    let table = service.cloud.physical(table).context(table.to_owned())?;
    for (name, value) in values {
        let (pk, sk) = (AttributeValue::S(key.0.to_owned()), AttributeValue::S(key.1.to_owned()));
        client
            .update_item()
            .table_name(table)
            .key("pk", pk)
            .key("sk", sk)
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", *name)
            .expression_attribute_values(":value", AttributeValue::N(value.to_string()))
            .send()
            .await?;
    }
    Ok(())
}

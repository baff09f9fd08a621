//! What happens between two snapshots of a verification: what seems wrong is looked at again before anything is said, so
//! nothing is found and nothing repaired.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use products::plan::{ReservationRequest, Step, plan};
use products::store::Store;
use service_tests::{reservation_request, simulate};
use shop_lambda::{Environment, Random};
use shop_local::cloud::Fault;
use shop_types::OrderId;

use super::*;

/// Shows verify-stock one item a page, and holds some of its calls until something else has happened. The clock of
/// reserve-stock is slow.
#[derive(Default)]
struct Holds {
    pages: AtomicUsize,
    held: Mutex<Vec<Hold>>,
}

/// Whether a call is the one, and how many pages of the products table came before it.
type Meant = dyn Fn(&Call, usize) -> bool + Send;

/// Holds one call: tells that it has come, and waits until it may go on.
struct Hold {
    is_meant: Box<Meant>,
    came: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// The other end of a [`Hold`].
struct Held {
    came: oneshot::Receiver<()>,
    go: oneshot::Sender<()>,
}

impl Held {
    /// Does something while the call waits.
    async fn during<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.came.await.context("the call that should wait")?;
        let done = work.await?;
        self.go.send(()).map_err(|()| anyhow::anyhow!("nobody waits any more"))?;
        Ok(done)
    }
}

impl Holds {
    /// A cloud that is seen like this.
    fn options(self: &Arc<Self>, seed: u64) -> Options {
        let interceptor: Arc<dyn Interceptor> = self.clone();
        Options { interceptor: Some(interceptor), ..Options::simulated(seed) }
    }

    /// Holds the first call of verify-stock that is meant, by the call and how many pages of the products table
    /// there were before it. One after the other, in the order of these calls.
    fn hold(&self, is_meant: impl Fn(&Call, usize) -> bool + Send + 'static) -> Held {
        let ((came, comes), (goes, go)) = (oneshot::channel(), oneshot::channel());
        let hold = Hold { is_meant: Box::new(is_meant), came, go };
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(hold);
        Held { came: comes, go: goes }
    }

    /// Holds the page behind so many others.
    fn hold_page(&self, before: usize) -> Held {
        self.hold(move |call, pages| is_page(call) && pages == before)
    }

    fn take(&self, call: &Call, pages: usize) -> Option<Hold> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.first().is_some_and(|hold| (hold.is_meant)(call, pages)).then(|| held.remove(0))
    }
}

/// Whether verify-stock reads a page of the products table.
fn is_page(call: &Call) -> bool {
    let is_scan = &*call.caller == "verify-stock" && call.operation == "Scan";
    is_scan && call.accesses.iter().any(|access| access.resource.contains("Products"))
}

impl Interceptor for Holds {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        async move {
            let pages = if is_page(call) { self.pages.fetch_add(1, Ordering::Relaxed) } else { 0 };
            let hold = if &*call.caller == "verify-stock" { self.take(call, pages) } else { None };
            if let Some(Hold { came, go, .. }) = hold
                && came.send(()).is_ok()
            {
                // Whoever gives up waiting has failed, and says so.
                go.await.ok();
            }
            None
        }
        .boxed()
    }

    /// Longer than a verification waits for what may be on its way.
    fn clock_skew(&self, function: &str) -> i64 {
        if function == "reserve-stock" { -20 * 60 * 1000 } else { 0 }
    }

    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        let mut body: Value = is_page(call).then(|| serde_json::from_slice(&call.body).ok())??;
        body["Limit"] = json!(1);
        Some(vec![body.to_string().into_bytes()])
    }
}

/// The catalogue and its verification, and nothing that goes on but what a test does, by the store of reserve-stock.
struct Stage {
    service: Service,
    store: Store,
    holds: Arc<Holds>,
}

impl Stage {
    async fn with(products: &[String]) -> Result<Self> {
        let holds = Arc::new(Holds::default());
        let is_needed = |function: &Function| ["create-product", "verify-stock"].contains(&function.name());
        let functions: Vec<_> = products::SERVICE.functions().into_iter().filter(is_needed).collect();
        let service = Service::start(&functions, holds.options(1)).await?;
        for product in products {
            let body = json!({"id": product, "name": "P", "price": 1, "stock": 3});
            service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        }
        let table = service.cloud.physical("ProductsTable").context("the table")?.to_owned();
        let sdk = service.cloud.sdk_config("test");
        let variables = BTreeMap::from([("PRODUCTS_TABLE".to_owned(), table)]);
        let environment = Environment::new(variables, sdk, Random::system());
        let store = Store::start(&environment, Client::new(environment.sdk_config()))?;
        Ok(Self { service, store, holds })
    }

    async fn plan(&self, request: &ReservationRequest) -> Result<Vec<Step>> {
        let requests = std::slice::from_ref(request);
        Ok(plan(requests, self.store.stock_state(requests).await?, self.service.now()?))
    }

    async fn carry_out(&self, steps: &[Step]) -> Result<()> {
        for step in steps {
            ensure!(self.store.carry_out(step).await?, "nobody else writes");
        }
        Ok(())
    }

    /// Verifies, and repairs what is found: nothing. How many counters were left unjudged, because they seemed wrong
    /// in one snapshot and not in another.
    async fn verify(&self) -> Result<u64> {
        self.holds.pages.store(0, Ordering::Relaxed);
        let report = self.service.invoke("verify-stock", &serde_json::from_str(REPAIR)?).await?;
        ensure!(report["found"] == 0 && report["repaired"] == 0 && report["complete"] == true, "{report}");
        report["not_judged"].as_u64().context("a count")
    }

    /// The places of some items in the order in which the table is scanned.
    async fn places<const N: usize>(&self, keys: [(&str, &str); N]) -> Result<[usize; N]> {
        let items = self.service.items("ProductsTable").await?;
        let place = |(pk, sk): (&str, &str)| {
            items.iter().position(|item| item["pk"] == text(pk) && item["sk"] == text(sk))
        };
        let places: Option<Vec<_>> = keys.into_iter().map(place).collect();
        Ok(places.context("an item that is not there")?.try_into().unwrap_or([0; N]))
    }
}

fn order(number: usize) -> OrderId {
    OrderId::derived(b"test", "test", &format!("order-{number}"))
}

#[test]
fn a_reservation_that_arrives_between_any_two_pages_of_the_looks_repairs_nothing() -> Result<()> {
    simulate(async {
        // The embedded cloud scans by the text of the keys: one counter lies before the entries, and one behind them.
        let products = ["a", "m", "z"].map(str::to_owned);
        let stage = Stage::with(&products).await?;
        let (mut not_judged, mut orders) = (0, (0..).map(order));
        for product in &products {
            let pages = stage.service.items("ProductsTable").await?.len();
            for (before, order) in (0..=pages).zip(&mut orders) {
                let request = reservation_request(order.clone(), std::slice::from_ref(product))?;
                let steps = stage.plan(&request).await?;
                let arrival = stage.holds.hold_page(before).during(stage.carry_out(&steps));
                let (verified, arrived) = futures::join!(stage.verify(), arrival);
                arrived?;
                not_judged += verified.with_context(|| format!("{product}, page {before}"))?;
                ensure!(stage.verify().await? == 0, "at rest, every counter is judged");
                let cancelled =
                    ReservationRequest { created: None, cancelled: request.created.clone(), ..request };
                stage.carry_out(&stage.plan(&cancelled).await?).await?;
            }
        }
        ensure!(not_judged > 0, "no reservation came where a snapshot sees half of it");
        Ok(())
    })
}

/// The claim of a large order has not come where the first snapshot looks for it, and has gone from where the second one
/// does: the two agree that nothing sets aside what the counters say. The third one sees the entry.
#[test]
fn a_claim_that_two_looks_miss_is_seen_by_the_third() -> Result<()> {
    simulate(async {
        let products: Vec<_> = (0..100).map(|number| format!("p{number:03}")).collect();
        let stage = Stage::with(&products).await?;
        // Where the ledger has an order's entry is known from something else in its partition.
        let client = Client::new(&stage.service.cloud.sdk_config("test"));
        let table = stage.service.cloud.physical("ProductsTable").context("the table")?;
        for number in 0..8 {
            let put = client.put_item().table_name(table).item("pk", text(order(number).as_str()));
            put.item("sk", text("place")).send().await?;
        }
        let coordinator = stage.places([("p000", "stock")]).await?[0];
        let mut early = None;
        for number in 0..8 {
            let place = stage.places([(order(number).as_str(), "place")]).await?[0];
            early = early.or((place + 1 < coordinator).then(|| order(number)));
        }
        let large = reservation_request(early.context("an order before its coordinator")?, &products)?;
        let steps = stage.plan(&large).await?;
        let [claim @ Step::Claim { .. }, complete @ Step::Complete { .. }] = &steps[..] else {
            anyhow::bail!("{} steps", steps.len())
        };
        ensure!(stage.verify().await? == 0, "at rest, every counter is judged");
        let pages = stage.holds.pages.load(Ordering::Relaxed);

        let claimed = stage.holds.hold_page(coordinator + 1);
        let completed = stage.holds.hold_page(pages + coordinator);
        let (verified, claimed, completed) = futures::join!(
            stage.verify(),
            claimed.during(stage.carry_out(std::slice::from_ref(claim))),
            completed.during(stage.carry_out(std::slice::from_ref(complete))),
        );
        claimed?;
        completed?;
        ensure!(verified? > 0, "no counter lies behind its coordinator");
        ensure!(stage.verify().await? == 0, "at rest, every counter is judged");
        Ok(())
    })
}

/// An order is cancelled, and its stock released, after it was read and before its entry is: by a consumer whose clock
/// is slow, so that the entry seems to have been like that for long.
#[test]
fn an_order_that_changes_before_its_entry_is_read_is_not_judged() -> Result<()> {
    simulate(async {
        let holds = Arc::new(Holds::default());
        let shop = Shop::start(holds.options(2), &[]).await?;
        shop.service.pass(GRACE_PERIOD).await;
        let order = shop.confirmed().await?.remove(0);
        let held = holds.hold(|call, _| call.operation == "BatchGetItem");
        let cancelled = held.during(async {
            shop.cancel(std::slice::from_ref(&order)).await?;
            let is_released = async || -> Result<bool> {
                let items = shop.service.items("ProductsTable").await?;
                Ok(items.iter().any(|item| item["pk"] == text(&order) && item["status"] == text("released")))
            };
            while !is_released().await? {
                shop.service.pass(Duration::from_secs(1)).await;
            }
            Ok(())
        });
        let (reports, cancelled) = futures::join!(shop.verify(REPAIR), cancelled);
        cancelled?;
        let [report, _] = reports?;
        assert_eq!((&report["found"], &report["not_judged"]), (&json!(0), &json!(1)), "{report}");
        shop.service.settled().await?;
        shop.agrees().await
    })
}

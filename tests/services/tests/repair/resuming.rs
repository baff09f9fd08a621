//! A verification that dies goes on where it was, and comes to the end.

use std::sync::atomic::AtomicUsize;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use service_tests::simulate;
use shop_local::cloud::Fault;

use super::*;

/// Shows a verification two items a page, and lets it die at one of its pages.
struct Dying {
    function: &'static str,
    pages: AtomicUsize,
    dies_at: AtomicUsize,
}

impl Dying {
    fn of(function: &'static str) -> Arc<Self> {
        Arc::new(Self { function, pages: AtomicUsize::new(0), dies_at: AtomicUsize::new(usize::MAX) })
    }

    fn is_page(&self, call: &Call) -> bool {
        *call.caller == *self.function && call.operation == "Scan"
    }

    /// Lets it die at the page behind so many, counted from now on.
    fn die_behind(&self, pages: usize) {
        self.pages.store(0, Ordering::SeqCst);
        self.dies_at.store(pages, Ordering::SeqCst);
    }
}

impl Interceptor for Dying {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let dies = self.is_page(call)
            && self.pages.fetch_add(1, Ordering::SeqCst) >= self.dies_at.load(Ordering::SeqCst);
        let dead = || Fault::Error(AwsError::client("AccessDeniedException", "dead"));
        ready(dies.then(dead)).boxed()
    }

    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        let mut body: Value = self.is_page(call).then(|| serde_json::from_slice(&call.body).ok())??;
        body["Limit"] = json!(2);
        Some(vec![body.to_string().into_bytes()])
    }
}

/// Whatever page it dies at: the next run repairs what is left, looks at nothing twice, and the one after that finds
/// nothing.
async fn goes_on(function: &'static str, lost: (&str, &str), kind: &str) -> Result<()> {
    let mut resumed = 0;
    for dies_at in (1..).step_by(2) {
        let dying = Dying::of(function);
        let interceptor: Arc<dyn Interceptor> = Arc::<Dying>::clone(&dying);
        let options = Options { interceptor: Some(interceptor), ..Options::simulated(1) };
        let shop = Shop::start(options, &[lost]).await?;
        shop.cancel(&shop.confirmed().await?[..2]).await?;
        shop.service.settled().await?;
        shop.service.pass(GRACE_PERIOD).await;
        let whole = shop.service.invoke(function, &json!({})).await?;
        let (orders, found) = (whole["checked"]["orders"].as_u64(), whole["found"].as_u64());
        ensure!(orders == Some(10) && found > Some(0) && whole["complete"] == true, "{whole}");
        dying.die_behind(dies_at);
        let request = json!({ "repair": true });
        if shop.service.invoke(function, &request).await.is_ok() {
            // There are no more pages.
            ensure!(dies_at > 3, "{function} has {dies_at} pages");
            break;
        }
        dying.die_behind(usize::MAX);
        // One that only reports is another kind of run, and begins at its own beginning.
        let report = shop.service.invoke(function, &json!({})).await?;
        ensure!(report["resumed_at"].is_null() && report["checked"]["orders"] == 10, "{report}");
        let rest = shop.service.invoke(function, &request).await?;
        ensure!(rest["complete"] == true && rest["found"] == rest["repaired"], "{rest}");
        if rest["resumed_at"].as_str().is_some_and(|at| at.contains(kind)) {
            resumed += 1;
            let looked = rest["checked"]["orders"].as_u64();
            ensure!(kind != "orders" || looked < orders, "it begins anew: {rest}");
        }
        shop.service.settled().await?;
        let after = shop.service.invoke(function, &request).await?;
        ensure!(after["resumed_at"].is_null() && after["found"] == 0 && after["complete"] == true, "{after}");
    }
    ensure!(resumed > 0, "{function} never died among the {kind}");
    Ok(())
}

#[test]
fn stock_goes_on_behind_an_order() -> Result<()> {
    simulate(async { goes_on("verify-stock", NO_RELEASE, "orders").await })
}

#[test]
fn statistics_go_on_behind_an_order() -> Result<()> {
    simulate(async { goes_on("verify-user-stats", NO_STATISTICS, "orders").await })
}

#[test]
fn sales_go_on_behind_an_order() -> Result<()> {
    let no_sales = ("[order.cancelled, order.confirmed]", "[order.shipped]");
    simulate(async { goes_on("verify-sales", no_sales, "orders").await })
}

/// A user whose entries lie on many pages is one, and is right or wrong as a whole.
#[test]
fn users_on_many_pages_are_judged_as_one() -> Result<()> {
    simulate(async {
        let dying = Dying::of("verify-user-stats");
        let interceptor: Arc<dyn Interceptor> = Arc::<Dying>::clone(&dying);
        let options = Options { interceptor: Some(interceptor), ..Options::simulated(1) };
        let shop = Shop::start(options, &[]).await?;
        shop.cancel(&shop.confirmed().await?[..1]).await?;
        shop.service.settled().await?;
        shop.service.pass(GRACE_PERIOD).await;
        let right = shop.service.invoke("verify-user-stats", &json!({})).await?;
        ensure!(right["found"] == 0 && right["not_judged"] == 0 && right["checked"]["users"] == 1, "{right}");
        let user = shop.user().await?;
        let client = Client::new(&shop.service.cloud.sdk_config("test"));
        let table = shop.service.cloud.physical("UsersTable").context("the table")?;
        let key = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
        let key = HashMap::from([key("pk", &user), key("sk", "stats")]);
        let spoil = client.update_item().table_name(table).set_key(Some(key));
        let spoil = spoil.update_expression("SET orders_placed = :many");
        spoil.expression_attribute_values(":many", AttributeValue::N("77".to_owned())).send().await?;
        let wrong = shop.service.invoke("verify-user-stats", &json!({})).await?;
        ensure!(wrong["found"] == 1 && wrong["drift"][0]["subject"] == user.as_str(), "{wrong}");
        // Among the users too it goes on.
        dying.die_behind(2);
        ensure!(shop.service.invoke("verify-user-stats", &json!({ "repair": true })).await.is_err());
        dying.die_behind(usize::MAX);
        let rest = shop.service.invoke("verify-user-stats", &json!({ "repair": true })).await?;
        ensure!(rest["resumed_at"].as_str().is_some_and(|at| at.contains("users")), "{rest}");
        let last = shop.service.invoke("verify-user-stats", &json!({ "from_start": true })).await?;
        ensure!(last["found"] == 0 && last["complete"] == true, "{last}");
        Ok(())
    })
}

/// While it is on, each call of a verification takes nearly as long as an attempt may.
struct Slow {
    function: &'static str,
    is_on: AtomicBool,
}

impl Interceptor for Slow {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_slow = *call.caller == *self.function && self.is_on.load(Ordering::SeqCst);
        async move {
            if is_slow {
                tokio::time::sleep(Duration::from_millis(2900)).await;
            }
            None
        }
        .boxed()
    }

    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        let is_page = *call.caller == *self.function && call.operation == "Scan";
        let mut body: Value = is_page.then(|| serde_json::from_slice(&call.body).ok())??;
        body["Limit"] = json!(1);
        Some(vec![body.to_string().into_bytes()])
    }
}

/// A verification whose time is over answers, says where it stopped, and the next ones do the rest.
async fn stops_in_time(function: &'static str, lost: (&str, &str)) -> Result<()> {
    let slow = Arc::new(Slow { function, is_on: AtomicBool::new(false) });
    let interceptor: Arc<dyn Interceptor> = Arc::<Slow>::clone(&slow);
    let options = Options { interceptor: Some(interceptor), ..Options::simulated(1) };
    let shop = Shop::start(options, &[lost]).await?;
    // So many that each of the three verifications has more calls to make than fit into its time.
    for _ in 0..11 {
        shop.ten_orders().await?;
    }
    shop.cancel(&shop.confirmed().await?[..2]).await?;
    shop.service.settled().await?;
    shop.service.pass(GRACE_PERIOD).await;
    let whole = shop.service.invoke(function, &json!({})).await?;
    ensure!(whole["found"].as_u64() > Some(0) && whole["complete"] == true, "{whole}");
    slow.is_on.store(true, Ordering::SeqCst);
    let mut reports = Vec::new();
    loop {
        let report = shop.service.invoke(function, &json!({ "repair": true })).await?;
        ensure!(reports.is_empty() == report["resumed_at"].is_null(), "{report}");
        let is_done = report["complete"] == true;
        reports.push(report);
        if is_done {
            break;
        }
        ensure!(reports.len() < 20, "it never comes to the end");
    }
    ensure!(reports.len() > 1, "it had the time for all");
    let of_all = |name: &str| reports.iter().filter_map(|report| report[name].as_u64()).sum::<u64>();
    ensure!(Some(of_all("repaired")) == whole["found"].as_u64(), "{whole}: {reports:?}");
    slow.is_on.store(false, Ordering::SeqCst);
    shop.service.settled().await?;
    let after = shop.service.invoke(function, &json!({})).await?;
    ensure!(after["found"] == 0 && after["complete"] == true, "{after}");
    Ok(())
}

#[test]
fn a_verification_stops_before_its_time_is_over() -> Result<()> {
    let no_sales = ("[order.cancelled, order.confirmed]", "[order.shipped]");
    for (function, lost) in
        [("verify-stock", NO_RELEASE), ("verify-user-stats", NO_STATISTICS), ("verify-sales", no_sales)]
    {
        simulate(async { stops_in_time(function, lost).await.context(function) })?;
    }
    Ok(())
}

//! A DynamoDB that throttles, or whose items others are at work on: every route answers 503 with `Retry-After`, which a
//! client may follow, and never 500.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::{BoxFuture, FutureExt, ready};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, PASSWORD, Service, simulate};
use shop_local::cloud::{AwsError, Call, Fault, Interceptor, Options, Service as AwsService};
use tokio::time::Instant;

/// How DynamoDB refuses what it is asked.
#[derive(Clone, Copy)]
enum How {
    /// Every call, with this error.
    Call(&'static str),
    /// Every transaction, and each of its writes for this reason.
    Transaction(&'static str),
}

/// Refuses while it is on.
struct Refusing {
    is_on: AtomicBool,
    how: How,
}

/// Refuses so many calls, and takes the others.
struct RefusingSome(AtomicUsize);

impl Interceptor for RefusingSome {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let less_one = |left: usize| left.checked_sub(1);
        let is_refused = call.service == AwsService::DynamoDb
            && self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less_one).is_ok();
        let error = || Fault::Error(AwsError::client("ThrottlingException", "Slow down"));
        ready(is_refused.then(error)).boxed()
    }
}

fn cancelled(call: &Call, reason: &str) -> Option<AwsError> {
    const CODE: &str = "TransactionCanceledException";
    let request: Value = serde_json::from_slice(&call.body).ok()?;
    let writes = request["TransactItems"].as_array()?;
    let reasons: Vec<_> = writes.iter().map(|_| json!({ "Code": reason })).collect();
    let body = json!({ "__type": CODE, "message": "Cancelled", "CancellationReasons": reasons });
    Some(AwsError::client(CODE, "Cancelled").with_body(&body))
}

impl Interceptor for Refusing {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_asked = self.is_on.load(Ordering::Relaxed) && call.service == AwsService::DynamoDb;
        let error = match self.how {
            _ if !is_asked => None,
            How::Call(code) => Some(AwsError::client(code, "Slow down")),
            How::Transaction(reason) => cancelled(call, reason),
        };
        ready(error.map(Fault::Error)).boxed()
    }
}

/// A request that needs DynamoDB, and one that only starts its function.
struct Case {
    request: (Method, String, Option<Value>),
    start: (Method, String, Option<Value>),
    /// Whether what it writes is a transaction that it cannot do without.
    is_transaction: bool,
}

fn cases(customer: &Account, order: &str) -> Vec<Case> {
    let (mug, none) = ("/products/mug", "/products/none");
    let (user, nobody) = (format!("/users/{}", customer.id), "/users/usr_00000000000000000000000000");
    let case = |method: Method, path: &str, start: &str, body: Option<Value>, is_transaction| {
        // A body that is not understood starts the function of a path without an id.
        let to_start = if path == start { body.as_ref().map(|_| json!({})) } else { body.clone() };
        Case {
            request: (method.clone(), path.to_owned(), body),
            start: (method, start.to_owned(), to_start),
            is_transaction,
        }
    };
    let order_body = json!({ "items": [{ "product_id": "mug", "quantity": 1 }] });
    let session = json!({ "email": customer.email, "password": PASSWORD });
    let user_body = json!({ "email": "new@example.com", "password": PASSWORD, "name": "New" });
    let (cancel, no_cancel) =
        (format!("/orders/{order}/cancel"), "/orders/ord_00000000000000000000000000/cancel");
    vec![
        case(Method::GET, "/products", "/products?sort=wrong", None, false),
        case(Method::GET, mug, none, None, false),
        case(Method::POST, "/products", "/products", Some(json!({ "name": "Other", "price": 1 })), true),
        case(Method::PATCH, mug, none, Some(json!({ "price": 2 })), true),
        case(Method::GET, "/products/mug/stock", "/products/none/stock", None, false),
        case(Method::PATCH, "/products/mug/stock", "/products/none/stock", Some(json!({ "stock": 7 })), true),
        case(Method::POST, "/orders", "/orders", Some(order_body), false),
        case(Method::GET, "/orders", "/orders?status=wrong", None, false),
        case(Method::GET, &format!("/orders/{order}"), "/orders/ord_00000000000000000000000000", None, false),
        case(Method::POST, &cancel, no_cancel, None, false),
        case(Method::GET, "/users", "/users?limit=wrong", None, false),
        case(Method::GET, &user, nobody, None, false),
        case(Method::GET, &format!("{user}/stats"), &format!("{nobody}/stats"), None, false),
        case(Method::POST, "/users", "/users", Some(user_body), true),
        case(Method::PATCH, "/users/me", nobody, Some(json!({ "name": "Else" })), true),
        case(
            Method::PUT,
            &format!("{user}/role"),
            &format!("{nobody}/role"),
            Some(json!({ "role": "admin" })),
            true,
        ),
        case(Method::POST, "/sessions", "/sessions", Some(session), false),
        case(
            Method::POST,
            "/sessions/refresh",
            "/sessions/refresh",
            Some(json!({ "refresh_token": customer.refresh })),
            false,
        ),
        case(Method::DELETE, mug, none, None, true),
        case(Method::DELETE, &user, nobody, None, true),
    ]
}

async fn refuse(how: How) -> Result<()> {
    let refusing = Arc::new(Refusing { is_on: AtomicBool::new(false), how });
    let options = Options { interceptor: Some(Arc::<Refusing>::clone(&refusing)), ..Options::simulated(1) };
    let service = Service::start(&services::functions(), options).await?;
    let admin = service.new_administrator("keeper@example.com").await?;
    let customer = service.customer("customer@example.com").await?;
    let mug = json!({ "id": "mug", "name": "Mug", "price": 3, "stock": 5 });
    service.send_as(&admin, Method::POST, "/products", Some(&mug)).await?.expect(201)?;
    let order = json!({ "items": [{ "product_id": "mug", "quantity": 1 }] });
    let order = service.send_as(&customer, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
    let order = order.body["id"].as_str().context("an id")?.to_owned();
    service.settled().await?;
    let cases = cases(&customer, &order);
    for Case { start: (method, path, body), .. } in &cases {
        let answer = service.send_as(&admin, method.clone(), path, body.as_ref()).await?;
        ensure!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.text);
    }
    refusing.is_on.store(true, Ordering::Relaxed);
    for Case { request: (method, path, body), is_transaction, .. } in &cases {
        if matches!(how, How::Transaction(_)) && !is_transaction {
            continue;
        }
        let answer = service.send_as(&admin, method.clone(), path, body.as_ref()).await?;
        let answer = answer.problem(503, "contended").with_context(|| format!("{method} {path}"))?;
        ensure!(answer.header("retry-after")? == "1", "{method} {path}");
    }
    refusing.is_on.store(false, Ordering::Relaxed);
    // Nothing of it had an effect, and it may simply be sent again.
    let product = service.send_as(&admin, Method::GET, "/products/mug", None).await?.expect(200)?;
    ensure!(product.body["version"] == 1, "{}", product.text);
    service.send_as(&admin, Method::DELETE, "/products/mug", None).await?.expect(204)?;
    Ok(())
}

#[test]
fn a_throttled_table_is_a_503_that_may_be_tried_again() -> Result<()> {
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"] {
        simulate(refuse(How::Call(code))).context(code)?;
    }
    Ok(())
}

#[test]
fn a_transaction_that_others_are_in_the_way_of_is_a_503_that_may_be_tried_again() -> Result<()> {
    for reason in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
        simulate(refuse(How::Transaction(reason))).context(reason)?;
    }
    Ok(())
}

/// The pauses of two further attempts, at most: 50 and 100 ms; the rest is what the embedded cloud's calls take. By the
/// SDK's own default they would be up to 3 s, and a shopper waits for an answer.
const TWO_PAUSES: Duration = Duration::from_millis(150 + 50);

#[test]
fn a_table_that_throttles_twice_costs_the_caller_no_more_than_a_moment() -> Result<()> {
    simulate(async {
        let refusing = Arc::new(RefusingSome(AtomicUsize::new(0)));
        let interceptor: Arc<dyn Interceptor> = Arc::<RefusingSome>::clone(&refusing);
        let options = Options { interceptor: Some(interceptor), ..Options::simulated(1) };
        let service = Service::start(&services::functions(), options).await?;
        let customer = service.customer("customer@example.com").await?;
        let look = async || {
            let answer = service.send_as(&customer, Method::GET, "/products/none", None).await?;
            answer.problem(404, "not_found")
        };
        look().await?;
        // The times are drawn: over so many requests one of seconds would be seen.
        for _ in 0..50 {
            refusing.0.store(2, Ordering::Relaxed);
            let begun = Instant::now();
            look().await?;
            ensure!(refusing.0.load(Ordering::Relaxed) == 0, "it was not asked");
            ensure!(begun.elapsed() <= TWO_PAUSES, "{:?} of the cloud's time", begun.elapsed());
        }
        Ok(())
    })
}

//! Stock levels set by the administrator, and answers that are lost on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt, ready};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, Service, simulate};
use shop_local::cloud::{Call, Fault, Interceptor, Options};

const PATH: &str = "/products/mug/stock";

async fn with_mug(options: Options) -> Result<Service> {
    let service = Service::start(&products::SERVICE.functions(), options).await?;
    let mug = json!({"id": "mug", "name": "Mug", "price": 29.99, "stock": 10});
    service.send(Method::POST, "/products", Some(&mug)).await?.expect(201)?;
    Ok(service)
}

async fn adjust(service: &Service, body: Value, headers: &[(&str, &str)]) -> Result<Answer> {
    service.send_with(Method::PATCH, PATH, Some(&body), headers).await
}

#[test]
fn a_level_is_set_or_moved_within_its_bounds() -> Result<()> {
    simulate(async {
        let service = with_mug(Options::simulated(1)).await?;
        let set = adjust(&service, json!({"stock": 50}), &[]).await?.expect(200)?;
        assert_eq!(set.body["product_id"], "mug");
        assert_eq!((&set.body["stock"], &set.body["reserved"]), (&json!(50), &json!(0)));
        assert_eq!((&set.body["version"], set.header("etag")?), (&json!(2), "\"v2\""));
        let moved = adjust(&service, json!({"delta": -3}), &[("if-match", "\"v2\"")]).await?.expect(200)?;
        assert_eq!((&moved.body["stock"], &moved.body["version"]), (&json!(47), &json!(3)));
        let stale = adjust(&service, json!({"delta": -3}), &[("if-match", "\"v2\"")]).await?;
        assert_eq!(stale.problem(412, "stale_version")?.body["current_version"], 3);
        let refused =
            adjust(&service, json!({"delta": -48}), &[]).await?.problem(409, "insufficient_stock")?;
        assert_eq!((&refused.body["stock"], &refused.body["reserved"]), (&json!(47), &json!(0)));
        adjust(&service, json!({"delta": 1_000_000_000}), &[]).await?.problem(409, "too_much_stock")?;
        let nowhere = service.send(Method::PATCH, "/products/none/stock", Some(&json!({"stock": 1}))).await?;
        nowhere.problem(404, "not_found")?;
        let read = service.send(Method::GET, "/products/mug", None).await?;
        assert_eq!((&read.body["stock"], read.header("etag")?), (&json!(47), "\"v1.3\""));
        Ok(())
    })
}

#[test]
fn a_delta_under_an_idempotency_key_is_made_once() -> Result<()> {
    simulate(async {
        let service = with_mug(Options::simulated(1)).await?;
        let key = [("idempotency-key", "key-1")];
        let first = adjust(&service, json!({"delta": -10}), &key).await?.expect(200)?;
        let again = adjust(&service, json!({"delta": -10}), &key).await?.expect(200)?;
        assert_eq!((again.header("idempotent-replayed")?, &again.body), ("true", &first.body));
        adjust(&service, json!({"delta": -9}), &key).await?.problem(422, "idempotency_key_reused")?;
        assert_eq!(service.send(Method::GET, "/products/mug", None).await?.body["stock"], 0);
        Ok(())
    })
}

#[test]
fn deltas_at_once_all_count() -> Result<()> {
    simulate(async {
        let service = with_mug(Options::simulated(1)).await?;
        let key = [("idempotency-key", "key-1")];
        let plain = (0..4).map(|_| adjust(&service, json!({"delta": -1}), &[]));
        let keyed = (0..4).map(|_| adjust(&service, json!({"delta": -2}), &key));
        let (plain, keyed) =
            futures::join!(futures::future::try_join_all(plain), futures::future::try_join_all(keyed));
        for answer in plain?.into_iter().chain(keyed?) {
            answer.expect(200)?;
        }
        assert_eq!(service.send(Method::GET, "/products/mug", None).await?.body["stock"], 10 - 4 - 2);
        Ok(())
    })
}

/// Loses the answers of the first writes of each function, after they took effect.
#[derive(Default)]
struct LostAnswers(AtomicUsize);

impl Interceptor for LostAnswers {
    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let is_lost = call.operation == "TransactWriteItems"
            && self.0.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        ready(is_lost.then_some(Fault::Disconnected)).boxed()
    }
}

#[test]
fn a_write_whose_answer_is_lost_takes_effect_once() -> Result<()> {
    simulate(async {
        let options =
            Options { interceptor: Some(Arc::new(LostAnswers::default())), ..Options::simulated(1) };
        let service = with_mug(options).await?;
        let moved = adjust(&service, json!({"delta": -3}), &[]).await?.expect(200)?;
        assert_eq!((&moved.body["stock"], &moved.body["version"]), (&json!(7), &json!(2)));
        let change = json!({"name": "New"});
        let first = [("if-match", "\"v1\"")];
        let changed =
            service.send_with(Method::PATCH, "/products/mug", Some(&change), &first).await?.expect(200)?;
        assert_eq!((&changed.body["version"], &changed.body["stock"]), (&json!(2), &json!(7)));
        service.send(Method::DELETE, "/products/mug", None).await?.expect(204)?;
        Ok(())
    })
}

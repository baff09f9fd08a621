//! Deletion against everything that touches a counter: whatever was decided from the books as they were read before
//! the deletion is not written after it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use http::Method;
use products::plan::{ReservationRequest, Step, plan};
use products::stock::Adjustment;
use products::store::Store;
use serde_json::json;
use service_tests::{Service, reservation_request, simulate};
use shop_events::Cause;
use shop_lambda::{Environment, Random};
use shop_local::cloud::Options;
use shop_types::{OrderId, ProductId, Timestamp};

struct Stage {
    service: Service,
    store: Store,
}

impl Stage {
    async fn new() -> Result<Self> {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        let table = service.cloud.physical("ProductsTable").context("the table")?.to_owned();
        let sdk = service.cloud.sdk_config("test");
        let variables = BTreeMap::from([("PRODUCTS_TABLE".to_owned(), table)]);
        let environment = Environment::new(variables, sdk.clone(), Random::system());
        let store = Store::start(&environment, Client::new(&sdk))?;
        Ok(Self { service, store })
    }

    async fn create(&self, product: &str, stock: u64) -> Result<()> {
        let body = json!({ "id": product, "name": "A product", "price": 1, "stock": stock });
        self.service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        Ok(())
    }

    async fn delete(&self, product: &str) -> Result<()> {
        self.service.send(Method::DELETE, &format!("/products/{product}"), None).await?.expect(204)?;
        Ok(())
    }

    /// What a consumer would write that reads the books now.
    async fn plan(&self, requests: &[ReservationRequest]) -> Result<Vec<Step>> {
        Ok(plan(requests, self.store.stock_state(requests).await?, self.service.now()?))
    }

    async fn figures(&self, product: &str) -> Result<(u64, u64)> {
        let id: ProductId = product.parse()?;
        let stock = self.store.stock(&id).await?.context("the counter")?;
        Ok((stock.available, stock.reserved))
    }
}

fn request(order: &str, products: &[&str]) -> Result<ReservationRequest> {
    reservation_request(OrderId::derived(b"test", "test", order), products)
}

#[test]
fn stock_of_a_product_that_is_deleted_in_between_is_not_reserved() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        stage.create("a", 5).await?;
        stage.create("b", 5).await?;
        let requests = [request("order", &["a", "b"])?];
        let steps = stage.plan(&requests).await?;
        ensure!(steps.len() == 1, "{steps:?}");
        stage.delete("b").await?;
        ensure!(!stage.store.carry_out(&steps[0]).await?, "it was reserved");
        assert_eq!((stage.figures("a").await?, stage.figures("b").await?), ((5, 0), (5, 0)));
        // From fresh books the order is rejected, and nothing is set aside.
        for step in stage.plan(&requests).await? {
            ensure!(stage.store.carry_out(&step).await?);
        }
        assert_eq!((stage.figures("a").await?, stage.figures("b").await?), ((5, 0), (5, 0)));
        ensure!(stage.plan(&requests).await?.is_empty());
        Ok(())
    })
}

#[test]
fn stock_of_a_large_order_is_not_reserved_either() -> Result<()> {
    // The first of an order's products keeps its entry meanwhile; the others only set stock aside.
    for deleted in ["p000", "p057"] {
        simulate(async {
            let stage = Stage::new().await?;
            let names: Vec<String> = (0..100).map(|number| format!("p{number:03}")).collect();
            for name in &names {
                stage.create(name, 1).await?;
            }
            let products: Vec<&str> = names.iter().map(String::as_str).collect();
            let steps = stage.plan(&[request("order", &products)?]).await?;
            stage.delete(deleted).await?;
            ensure!(!stage.store.carry_out(&steps[0]).await?, "{deleted} was reserved");
            for name in &names {
                assert_eq!(stage.figures(name).await?, (1, 0), "{name}");
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn what_was_reserved_before_a_deletion_is_released_after_it() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        stage.create("a", 5).await?;
        let mut requests = [request("order", &["a"])?];
        for step in stage.plan(&requests).await? {
            ensure!(stage.store.carry_out(&step).await?);
        }
        assert_eq!(stage.figures("a").await?, (4, 1));
        requests[0].cancelled = Some(Cause::request("request-2"));
        let steps = stage.plan(&requests).await?;
        stage.delete("a").await?;
        // It would be told of with a time before that of the deletion: it is planned anew, and taken then.
        for step in steps {
            ensure!(!stage.store.carry_out(&step).await?, "a release went back in time");
        }
        for step in stage.plan(&requests).await? {
            ensure!(stage.store.carry_out(&step).await?, "a release is taken whatever became of the product");
        }
        assert_eq!(stage.figures("a").await?, (5, 0));
        Ok(())
    })
}

#[test]
fn no_level_is_set_on_a_product_that_is_deleted_in_between() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for (product, adjustment) in [("a", Adjustment::Set(9)), ("b", Adjustment::Change(-2))] {
            stage.create(product, 5).await?;
            let before = stage.store.stock(&product.parse()?).await?.context("the counter")?;
            let after = before.adjusted(adjustment, stage.service.now()?, Cause::request("request-1"))?;
            stage.delete(product).await?;
            ensure!(!stage.store.adjust(&before, &after, None).await?, "{product}");
            assert_eq!(stage.figures(product).await?, (5, 0));
        }
        Ok(())
    })
}

#[test]
fn a_counter_takes_no_time_back() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        stage.create("a", 5).await?;
        let id: ProductId = "a".parse()?;
        // An administrator's clock is an hour ahead of the consumer's.
        let before = stage.store.stock(&id).await?.context("the counter")?;
        let ahead = Timestamp::from_millis(stage.service.now()?.as_millis() + 3_600_000);
        let requests = [request("order", &["a"])?];
        let early = stage.plan(&requests).await?;
        let after = before.adjusted(Adjustment::Set(7), ahead, Cause::request("request-1"))?;
        ensure!(stage.store.adjust(&before, &after, None).await?);
        ensure!(!stage.store.carry_out(&early[0]).await?, "it was made from books of before");
        for step in stage.plan(&requests).await? {
            ensure!(stage.store.carry_out(&step).await?);
        }
        let stock = stage.store.stock(&id).await?.context("the counter")?;
        assert_eq!((stock.available, stock.reserved, stock.updated_at), (6, 1, ahead));
        Ok(())
    })
}

//! The payloads of events/ are what the functions of the products service understand.

use anyhow::Result;
use serde_json::json;
use service_tests::{Service, simulate};
use shop_local::cloud::Options;

#[test]
fn every_fixture_is_answered_once_its_product_is_there() -> Result<()> {
    for (function, status) in [
        ("get-product", 200),
        ("list-products", 200),
        ("get-stock", 200),
        ("set-stock", 200),
        ("update-product", 200),
        ("delete-product", 204),
        ("create-product", 201),
    ] {
        simulate(async {
            let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
            let made = service.invoke_fixture("create-product").await?;
            assert_eq!(made["statusCode"], 201, "{made}");
            let answer = service.invoke_fixture(function).await?;
            assert_eq!(answer["statusCode"], status, "{function}: {answer}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn the_fixture_of_the_queue_is_consumed_with_and_without_its_product() -> Result<()> {
    simulate(async {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        let done = json!({ "batchItemFailures": [] });
        assert_eq!(service.invoke_fixture("reserve-stock").await?, done);
        service.invoke_fixture("create-product").await?;
        assert_eq!(service.invoke_fixture("reserve-stock").await?, done);
        Ok(())
    })
}

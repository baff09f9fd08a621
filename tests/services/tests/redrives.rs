//! The redrives service over the embedded cloud.

use std::sync::Arc;

use anyhow::{Context, Result};
use http::Method;
use service_tests::{Published, Service, simulate};
use shop_local::cloud::Options;

#[test]
fn what_is_made_is_shown_and_told_once() -> Result<()> {
    simulate(async {
        let published = Arc::new(Published::default());
        let mut options = Options::simulated(1);
        options.observers.push(published.clone());
        let service = Service::start(&services::functions(), options).await?;
        let made = service.send(Method::POST, "/redrives", None).await?.expect(201)?;
        let id = made.body["id"].as_str().context("an id")?;
        let shown = service.send(Method::GET, &format!("/redrives/{id}"), None).await?.expect(200)?;
        assert_eq!(shown.body, made.body);
        service.settled().await?;
        let told = published.events()?;
        let told: Vec<_> = told.iter().filter(|event| event["type"] == "redrive.created").collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["subject"], id);
        Ok(())
    })
}

#[test]
fn every_fixture_is_understood() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        for (function, status) in [("create-redrive", 201), ("get-redrive", 404)] {
            let answer = service.invoke_fixture(function).await?;
            assert_eq!(answer["statusCode"], status, "{function}: {answer}");
        }
        let done = serde_json::json!({ "batchItemFailures": [] });
        assert_eq!(service.invoke_fixture("publish-redrive-events").await?, done);
        Ok(())
    })
}

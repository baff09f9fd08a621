//! Functions may do what the template grants them, and nothing else.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod toy;

use std::collections::BTreeMap;

use shop_local::cloud::{Cloud, Options};
use shop_local::template::Template;
use toy::{FUNCTIONS, counts, place_item};

fn template(without: &str) -> Template {
    let text = include_str!("template.yaml");
    assert!(text.contains(without), "{without}");
    Template::parse(&text.replacen(without, "dynamodb:GetItem", 1), &BTreeMap::new()).unwrap()
}

#[tokio::test]
async fn a_call_that_is_not_granted_is_refused() {
    let cloud = Cloud::start(&template("dynamodb:PutItem"), FUNCTIONS, Options::memory()).await.unwrap();
    assert_eq!(place_item(&cloud, "a", "item.placed").await, 500);
    let calls = cloud.meter().sum(|entry| entry.caller == "place");
    assert_eq!((calls.calls, calls.errors), (1, 1), "one call, refused, and not tried again");
    assert_eq!(cloud.meter().sum(|entry| entry.caller == "place").units.writes, 0);
    cloud.stop().await;
}

#[tokio::test]
async fn what_is_granted_works() {
    let cloud = toy::start(Options::memory()).await;
    assert_eq!(place_item(&cloud, "a", "item.placed").await, 201);
    cloud.settled().await;
    assert_eq!(counts(&cloud).await.values().sum::<u32>(), 1);
    cloud.stop().await;
}

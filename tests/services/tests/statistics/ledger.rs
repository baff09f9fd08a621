//! A ledger of more than DynamoDB reads at once (1 MB), before any filter and projection.

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use service_tests::{Service, simulate};

use super::*;

const ENTRIES: u8 = 7;

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// Sets an attribute of an item of the user's.
async fn set(service: &Service, sk: &str, name: &str, value: AttributeValue) -> Result<()> {
    let client = Client::new(&service.cloud.sdk_config("test"));
    let update = client.update_item().table_name("UsersTable").key("pk", text(user().as_str()));
    let update = update.key("sk", text(sk)).update_expression("SET #name = :value");
    let update = update.expression_attribute_names("#name", name);
    update.expression_attribute_values(":value", value).send().await?;
    Ok(())
}

/// A ledger of seven orders, each of whose entries is large.
async fn large_ledger(service: &Service) -> Result<()> {
    let events: Vec<_> = (0..ENTRIES).map(confirmed).collect();
    ensure!(deliver(service, &events).await?.is_empty());
    for n in 0..ENTRIES {
        set(service, &format!("order#{}", order(n)), "padding", text("x".repeat(300_000))).await?;
    }
    Ok(())
}

fn assert_has_pages(operations: &[String]) {
    let queries = operations.iter().filter(|operation| *operation == "Query").count();
    assert!(queries > 2, "{queries} queries are one page each");
}

#[test]
fn the_last_order_is_found_beyond_the_ledger_s_first_page() -> Result<()> {
    simulate(async {
        let (service, calls) = watched("record-user-stats").await?;
        large_ledger(&service).await?;
        // Whichever page the next one lies on.
        for n in (1..ENTRIES).rev() {
            drop(calls.take());
            assert!(deliver(&service, &[cancelled(n)]).await?.is_empty());
            if n == ENTRIES - 1 {
                assert_has_pages(&calls.take_operations());
            }
            let stats = stats_of(&service, &user()).await?.body;
            assert_eq!(
                (&stats["orders_placed"], &stats["last_order"]["id"]),
                (&json!(n), &json!(order(n - 1)))
            );
        }
        Ok(())
    })
}

#[test]
fn statistics_are_recounted_from_all_pages_of_the_ledger() -> Result<()> {
    simulate(async {
        let (service, calls) = watched("verify-user-stats").await?;
        large_ledger(&service).await?;
        let right = stats_of(&service, &user()).await?.body;
        set(&service, "stats", "orders_placed", AttributeValue::N("1".to_owned())).await?;
        let report = service.invoke("verify-user-stats", &json!({ "repair": true })).await?;
        assert_has_pages(&calls.take_operations());
        let repaired = stats_of(&service, &user()).await?.body;
        for figure in ["orders_placed", "amount_spent", "last_order"] {
            assert_eq!(repaired[figure], right[figure], "{report}");
        }
        assert_eq!(repaired["orders_placed"], ENTRIES, "{report}");
        Ok(())
    })
}

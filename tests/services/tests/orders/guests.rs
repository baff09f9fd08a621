//! Guests: an order belongs to whoever holds its token, and its id tells nothing of its key.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use serde_json::json;
use service_tests::simulate;
use shop_types::OrderId;

use super::stage::{ADA, Stage, mugs, text};

const KEY: &str = "0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22";

#[test]
fn a_token_is_shown_to_whoever_places_and_by_no_other_answer() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = stage.place(None, &mugs(1), Some(KEY)).await?.expect(201)?;
        let token = text(&placed, "order_token")?;
        let replayed = stage.place(None, &mugs(1), Some(KEY)).await?.expect(201)?;
        assert_eq!(replayed.header("idempotent-replayed")?, "true");
        assert_eq!(replayed.body, placed.body, "a replay is the same answer, token and all");
        let path = format!("/orders/{}", text(&placed, "id")?);
        let by_token = [("order-token", token)];
        let read = stage.send(None, Method::GET, &path, None, &by_token).await?.expect(200)?;
        let cancel = format!("{path}/cancel");
        let cancelled = stage.send(None, Method::POST, &cancel, None, &by_token).await?.expect(200)?;
        let again = stage.send(None, Method::POST, &cancel, None, &by_token).await?.expect(200)?;
        let admins = stage.service.send(Method::GET, &path, None).await?.expect(200)?;
        let list = stage.service.send(Method::GET, "/orders?status=cancelled", None).await?.expect(200)?;
        for answer in [&read, &cancelled, &again, &admins, &list] {
            ensure!(!answer.text.contains(token) && !answer.text.contains("order_token"), "{}", answer.text);
        }
        let customers = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        ensure!(customers.body.get("order_token").is_none(), "{}", customers.text);
        // Events and items have none either: it is made from the id whenever it is asked for.
        for event in stage.service.take_events("ReserveStockQueue").await? {
            ensure!(!event.to_json()?.contains(token));
        }
        let item = stored(&stage, text(&placed, "id")?).await?;
        ensure!(!format!("{item:?}").contains(token));
        Ok(())
    })
}

#[test]
fn what_is_no_token_opens_nothing() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = stage.place(None, &mugs(1), None).await?.expect(201)?;
        let other = stage.place(None, &mugs(1), None).await?.expect(201)?;
        let (token, others) = (text(&placed, "order_token")?, text(&other, "order_token")?);
        let path = format!("/orders/{}", text(&placed, "id")?);
        let none = "/orders/ord_00000000000000000000000000";
        let (twice, joined) = (vec![("order-token", token); 2], format!("{token}, {token}"));
        let one = |value| vec![("order-token", value)];
        let long = "A".repeat(8000);
        for headers in [
            vec![],
            one(""),
            one("x"),
            one(others),
            one(&token[1..]),
            one(&joined),
            one(&long),
            one("ü"),
            twice,
        ] {
            for (method, suffix) in [(Method::GET, ""), (Method::POST, "/cancel")] {
                let ask = |user, path: &str| {
                    let (method, path) = (method.clone(), format!("{path}{suffix}"));
                    let (stage, headers) = (&stage, &headers);
                    async move { stage.send(user, method, &path, None, headers).await }
                };
                let hidden = ask(None, &path).await?.problem(401, "unauthorized")?;
                ensure!(text(&hidden, "detail")?.contains("Order-Token"), "{}", hidden.text);
                // What is not there looks the same.
                let missing = ask(None, none).await?.problem(401, "unauthorized")?;
                assert_eq!(hidden.body["detail"], missing.body["detail"]);
                let stranger = ask(Some(ADA), &path).await?.problem(404, "not_found")?;
                let missing = ask(Some(ADA), none).await?.problem(404, "not_found")?;
                assert_eq!(stranger.body["detail"], missing.body["detail"]);
            }
        }
        // Signed in or not, who holds it may have it; and it opens no customer's order.
        let by_token = [("order-token", token)];
        stage.send(Some(ADA), Method::GET, &path, None, &by_token).await?.expect(200)?;
        let owned = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        let owned = format!("/orders/{}", text(&owned, "id")?);
        stage.send(None, Method::GET, &owned, None, &by_token).await?.problem(401, "unauthorized")?;
        stage.send(None, Method::POST, &format!("{path}/cancel"), None, &by_token).await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn an_id_cannot_be_computed_from_its_key() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = stage.place(None, &mugs(1), Some(KEY)).await?.expect(201)?;
        let id = text(&placed, "id")?;
        let secret = secret(&stage).await?;
        ensure!(secret.len() == 32 && secret.iter().collect::<BTreeSet<_>>().len() > 8);
        for guess in [&b""[..], b"guest", &[0; 32]] {
            assert_ne!(OrderId::derived(guess, "guest", KEY).as_str(), id);
        }
        // Another shop's orders under the same key have other ids; this one's have the same.
        let other = Stage::with(shop_local::cloud::Options::simulated(2), &[]).await?;
        let elsewhere = other.place(None, &mugs(1), Some(KEY)).await?.expect(201)?;
        assert_ne!(text(&elsewhere, "id")?, id);
        // A user's keys are the user's own.
        let user = stage.place(Some(ADA), &mugs(1), Some(KEY)).await?.expect(201)?;
        assert_ne!(text(&user, "id")?, id);
        Ok(())
    })
}

#[test]
fn a_guest_s_retry_is_the_same_request_however_the_address_is_spelt() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let order = |email: &str, price: &str| {
            let text = format!(
                r#"{{"items": [{{"product_id": "mug", "quantity": 2, "price": 29.99}}],
                    "total_amount": {price}, "email": "{email}"}}"#
            );
            bytes::Bytes::from(text)
        };
        let headers = [("content-type", "application/json"), ("idempotency-key", KEY)];
        let send = async |body| stage.service.request(Method::POST, "/orders", body, &headers).await;
        let first = send(order("ada@example.com", "59.98")).await?.expect(201)?;
        for (email, price) in
            [("Ada@Example.COM", "59.98"), (" ada@example.com ", "59.98"), ("ada@example.com", "59.980")]
        {
            let again = send(order(email, price)).await?.expect(201)?;
            assert_eq!((&again.body, again.header("idempotent-replayed")?), (&first.body, "true"));
        }
        send(order("bea@example.com", "59.98")).await?.problem(422, "idempotency_key_reused")?;
        stage.place(None, &mugs(2), Some(KEY)).await?.problem(422, "idempotency_key_reused")?;
        // The address is kept as it came first.
        let item = stored(&stage, text(&first, "id")?).await?;
        assert_eq!(item["contact_email"], AttributeValue::S("ada@example.com".to_owned()));
        Ok(())
    })
}

/// What docs/operations.md gives an option of its command that erases a guest's address.
fn erasing(option: &str) -> Result<String> {
    let document = std::fs::read_to_string(service_tests::workspace().join("docs/operations.md"))?;
    let (_, erasing) = document.split_once("### Erasing a guest").context("the runbook")?;
    let (_, value) = erasing.split_once(&format!("{option} '")).context("the option")?;
    Ok(value.split_once('\'').context("its end")?.0.to_owned())
}

#[test]
fn the_runbook_erases_an_address_and_makes_no_item_of_a_mistyped_id() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let order = json!({ "items": [{ "product_id": "mug", "quantity": 1 }], "email": "ada@example.com" });
        let placed = stage.service.post("/orders", &order).await?.expect(201)?;
        stage.service.settled().await?;
        let client = Client::new(&stage.service.cloud.sdk_config("test"));
        let table = stage.service.cloud.physical("OrdersTable").context("the table")?;
        let erase = async |id: &str| -> Result<_> {
            let update = client.update_item().table_name(table).key("id", AttributeValue::S(id.to_owned()));
            let update = update.update_expression(erasing("--update-expression")?);
            Ok(update.condition_expression(erasing("--condition-expression")?).send().await)
        };
        let id = text(&placed, "id")?;
        erase(id).await??;
        ensure!(!stored(&stage, id).await?.contains_key("contact_email"), "the address is still there");
        let before = stage.service.items(table).await?.len();
        let mistyped = erase("ord_nobody").await?.err().context("an order was made of a mistyped id")?;
        let refused = mistyped.into_service_error();
        ensure!(refused.is_conditional_check_failed_exception(), "{refused:?}");
        assert_eq!(stage.service.items(table).await?.len(), before);
        Ok(())
    })
}

#[test]
fn only_functions_of_orders_may_read_the_secret() -> Result<()> {
    let template = std::fs::read_to_string(service_tests::workspace().join("template.yaml"))?;
    let template = shop_local::template::Template::parse(&template, &std::collections::BTreeMap::new())?;
    let table = &template.tables.get("OrderKeysTable").context("the table")?.name;
    let may = |function: &&shop_local::template::Function| function.grants.iter().any(|(_, of)| of == table);
    let readers: BTreeSet<&str> =
        template.functions.values().filter(may).map(|function| function.name.as_str()).collect();
    assert_eq!(readers, BTreeSet::from(["cancel-order", "create-order", "get-order"]));
    Ok(())
}

async fn stored(stage: &Stage, id: &str) -> Result<std::collections::HashMap<String, AttributeValue>> {
    let client = Client::new(&stage.service.cloud.sdk_config("test"));
    let table = stage.service.cloud.physical("OrdersTable").context("the table")?;
    let get = client.get_item().table_name(table).key("id", AttributeValue::S(id.to_owned()));
    get.consistent_read(true).send().await?.item.context("the order")
}

async fn secret(stage: &Stage) -> Result<Vec<u8>> {
    let client = Client::new(&stage.service.cloud.sdk_config("test"));
    let table = stage.service.cloud.physical("OrderKeysTable").context("the table")?;
    let items = client.scan().table_name(table).send().await?.items.unwrap_or_default();
    ensure!(items.len() == 1, "{} items", items.len());
    let bytes = items[0]["bytes"].as_b().map_err(|_| anyhow::anyhow!("the secret is no binary"))?;
    Ok(bytes.as_ref().to_vec())
}

//! What no request can bring about, planted in the tables and buckets past the API: an order that waits for too long,
//! mails that nobody knows the fate of, books that do not agree, and an index that nobody can read. The scheduled
//! functions must mend it.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::Value;
use serde_json::value::RawValue;
use shop_local::cloud::Cloud;

type Item = HashMap<String, AttributeValue>;

/// Long ago, as items have it.
const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";

/// Plants it, and has the functions mend it that a schedule calls.
pub(crate) async fn and_mend(cloud: &Cloud) -> Result<()> {
    stall_an_order(cloud).await?;
    invoke(cloud, "sweep-orders", "{}").await?;
    cloud.settled().await;
    let swept = invoke(cloud, "sweep-orders", "{}").await?;
    ensure!(swept["pending"] == 0, "the order was not driven on: {swept}");

    lose_what_ses_said(cloud).await?;
    let resent = invoke(cloud, "resend-emails", "{}").await?;
    ensure!(resent["due"].as_u64() > Some(0) && resent["failed"] == 0, "no mail was sent again: {resent}");
    cloud.settled().await;

    spoil_the_books(cloud).await?;
    for function in ["verify-stock", "verify-user-stats", "verify-sales"] {
        let reported = invoke(cloud, function, "{}").await?;
        ensure!(reported["found"].as_u64() > Some(0) && reported["repaired"] == 0, "{function}: {reported}");
        let repaired = invoke(cloud, function, r#"{"repair": true}"#).await?;
        ensure!(repaired["found"] == repaired["repaired"], "{function}: {repaired}");
        let again = invoke(cloud, function, "{}").await?;
        ensure!(again["found"] == 0, "{function} left something: {again}");
    }
    cloud.settled().await;

    spoil_the_index(cloud).await?;
    let rebuilt = invoke(cloud, "rebuild-search", "{}").await?;
    ensure!(rebuilt["begun_anew"] == true && rebuilt["complete"] == true, "the index: {rebuilt}");
    Ok(())
}

/// Sets a confirmed order back, as if nobody had ever heard what became of its stock.
async fn stall_an_order(cloud: &Cloud) -> Result<()> {
    let order = find(cloud, "OrdersTable", |order| text(order, "status") == "confirmed").await?;
    let id = text(&order, "id").to_owned();
    let shard = text(&order, "status_shard").replace("confirmed", "pending");
    let placed = format!("{LONG_AGO}#{id}");
    let values =
        [("status", "pending"), ("status_shard", &shard), ("placed", &placed), ("placed_at", LONG_AGO)];
    set(cloud, "OrdersTable", &[("id", &id)], &values.map(|(name, value)| (name, string(value)))).await
}

/// Sets mails of orders and of accounts back, as if neither SES's answer nor its word of them had ever come.
async fn lose_what_ses_said(cloud: &Cloud) -> Result<()> {
    let templates = ["order_confirmation", "welcome"];
    let was_sent =
        |mail: &Item| text(mail, "status") == "sent" && templates.contains(&text(mail, "template"));
    for mail in find_all(cloud, "EmailsTable", was_sent).await? {
        let shard = text(&mail, "list_shard");
        let values =
            [("status", "sending"), ("attempted_at", LONG_AGO), ("due", LONG_AGO), ("open_shard", shard)];
        let values = values.map(|(name, value)| (name, string(value)));
        set(cloud, "EmailsTable", &[("id", text(&mail, "id"))], &values).await?;
    }
    Ok(())
}

/// Writes over every segment of the index of the catalogue.
async fn spoil_the_index(cloud: &Cloud) -> Result<()> {
    let bucket = cloud.physical("SearchBucket").context("the bucket of the index")?;
    // The endpoint is a shop's front door on this machine, which has no name for each bucket.
    let settings = aws_sdk_s3::config::Builder::from(&cloud.sdk_config("end-to-end")).force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(settings.build());
    let segments = s3.list_objects_v2().bucket(bucket).prefix("segments/").send().await?;
    for segment in segments.contents() {
        let put = s3.put_object().bucket(bucket).key(segment.key().context("a key")?);
        put.body(ByteStream::from_static(b"spoilt")).send().await?;
    }
    Ok(())
}

/// Gives a cancelled order its stock again, and its place in the statistics, as if its cancellation had been
/// lost; and forgets that in the counters and in the statistics. The sales of a day are too many.
async fn spoil_the_books(cloud: &Cloud) -> Result<()> {
    // The second version of an entry: the order was counted before it was taken off, so it had its stock.
    let was_counted = |entry: &Item| {
        text(entry, "state") == "cancelled"
            && entry.get("version").is_some_and(|version| version == &number("2"))
    };
    let entry = find(cloud, "UsersTable", was_counted).await?;
    let [user, sk, id] = ["pk", "sk", "order_id"].map(|name| text(&entry, name).to_owned());

    let reserved = [("status", string("reserved")), ("updated_at", string(LONG_AGO))];
    set(cloud, "ProductsTable", &[("pk", &id), ("sk", "reservation")], &reserved).await?;
    let counted = [("state", string("counted")), ("recorded_at", string(LONG_AGO))];
    set(cloud, "UsersTable", &[("pk", &user), ("sk", &sk)], &counted).await?;
    set(cloud, "OrdersTable", &[("id", &id)], &[("updated_at", string(LONG_AGO))]).await?;

    let day = find(cloud, "SalesTable", |item| text(item, "pk").starts_with("day#")).await?;
    let key = [("pk", text(&day, "pk")), ("sk", text(&day, "sk"))];
    set(cloud, "SalesTable", &key, &[("orders", number("999999"))]).await
}

async fn invoke(cloud: &Cloud, function: &str, payload: &str) -> Result<Value> {
    let answer = cloud.invoke(function, RawValue::from_string(payload.to_owned())?).await?;
    Ok(serde_json::from_str(answer.get())?)
}

async fn find(cloud: &Cloud, table: &str, wanted: impl Fn(&Item) -> bool) -> Result<Item> {
    let found = find_all(cloud, table, wanted).await?.into_iter().next();
    found.with_context(|| format!("the suite left no such item in {table}"))
}

async fn find_all(cloud: &Cloud, table: &str, wanted: impl Fn(&Item) -> bool) -> Result<Vec<Item>> {
    let client = Client::new(&cloud.sdk_config("end-to-end"));
    let scan = client.scan().table_name(cloud.physical(table).context("the table")?);
    let items: Vec<Item> = scan.into_paginator().items().send().collect::<Result<_, _>>().await?;
    Ok(items.into_iter().filter(wanted).collect())
}

async fn set(
    cloud: &Cloud,
    table: &str,
    key: &[(&str, &str)],
    values: &[(&str, AttributeValue)],
) -> Result<()> {
    let client = Client::new(&cloud.sdk_config("end-to-end"));
    let mut update = client.update_item().table_name(cloud.physical(table).context("the table")?);
    for (name, value) in key {
        update = update.key(*name, string(value));
    }
    let mut assignments = Vec::new();
    for (number, (name, value)) in values.iter().enumerate() {
        assignments.push(format!("#n{number} = :v{number}"));
        update = update
            .expression_attribute_names(format!("#n{number}"), *name)
            .expression_attribute_values(format!(":v{number}"), value.clone());
    }
    update.update_expression(format!("SET {}", assignments.join(", "))).send().await?;
    Ok(())
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

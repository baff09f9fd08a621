//! Batches: what DynamoDB leaves unprocessed is asked for again, and never forgotten.

use std::collections::BTreeSet;

use super::support::Script;
use crate::{Item, StoreError, batch_delete, batch_get_items, string};
use serde_json::{Value, json};
use shop_lambda::Contention;

fn keys(count: usize) -> Vec<Item> {
    (0..count).map(|number| Item::from([("id".to_owned(), string(number.to_string()))])).collect()
}

fn id(number: usize) -> Value {
    json!({ "id": { "S": number.to_string() } })
}

fn deletion(number: usize) -> Value {
    json!({ "DeleteRequest": { "Key": id(number) } })
}

/// The ids that a call asks to delete.
fn deleted(call: &Value) -> BTreeSet<String> {
    let requests = call["RequestItems"]["t"].as_array().unwrap();
    requests
        .iter()
        .map(|request| request["DeleteRequest"]["Key"]["id"]["S"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_deletion_is_asked_for_until_it_is_done() {
    let left = |numbers: &[usize]| {
        let requests: Vec<_> = numbers.iter().map(|number| deletion(*number)).collect();
        (200, json!({ "UnprocessedItems": { "t": requests } }))
    };
    let done = (200, json!({ "UnprocessedItems": {} }));
    let script = Script::new([left(&[3, 7]), left(&[7]), done.clone(), done]);
    batch_delete(&script.client(), "t", &keys(30)).await.unwrap();
    let asked: Vec<_> = script.asked().iter().map(deleted).collect();
    let set = |numbers: &[usize]| numbers.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(asked[0].len(), 25);
    assert_eq!((&asked[1], &asked[2]), (&set(&[3, 7]), &set(&[7])));
    assert_eq!(asked[3], set(&[25, 26, 27, 28, 29]), "and the rest after them");

    let script = Script::new([left(&[0])]);
    let error = batch_delete(&script.client(), "t", &keys(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unprocessed { operation: "BatchWriteItem" }));
    assert!(Contention::caused(&error));
    assert_eq!(script.asked().len(), 5);
}

#[tokio::test]
async fn every_key_is_asked_for_until_it_is_read() {
    let found = |numbers: &[usize], left: &[usize]| {
        let items: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
        let left: Vec<_> = left.iter().map(|number| id(*number)).collect();
        let left = if left.is_empty() {
            json!({})
        } else {
            json!({ "t": { "Keys": left, "ConsistentRead": true } })
        };
        (200, json!({ "Responses": { "t": items }, "UnprocessedKeys": left }))
    };
    let script = Script::new([found(&[0], &[1, 2]), found(&[2], &[1]), found(&[1], &[])]);
    let items = batch_get_items(&script.client(), "t", keys(3)).await.unwrap();
    assert_eq!(items.len(), 3);
    let asked = script.asked();
    assert_eq!(asked.len(), 3);
    for call in &asked {
        assert_eq!(call["RequestItems"]["t"]["ConsistentRead"], true, "also when it is asked for again");
    }

    let script = Script::new([found(&[], &[]), found(&[], &[])]);
    batch_get_items(&script.client(), "t", keys(130)).await.unwrap();
    let sizes: Vec<_> = script
        .asked()
        .iter()
        .map(|call| call["RequestItems"]["t"]["Keys"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 30]);

    let script = Script::new([found(&[], &[0])]);
    let error = batch_get_items(&script.client(), "t", keys(1)).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Unprocessed { operation: "BatchGetItem" }) && Contention::caused(&error)
    );
}

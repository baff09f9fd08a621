//! Batches: what DynamoDB leaves unprocessed is asked for again, and never forgotten.

use std::collections::BTreeSet;

use super::support::{Script, Thing, key, wire};
use crate::{Item, Read, StoreError};
use serde_json::{Value, json};
use shop_lambda::Contention;

fn keys(count: usize) -> Vec<Item> {
    (0..count).map(|number| key(&number.to_string())).collect()
}

fn id(number: usize) -> Value {
    wire(&number.to_string())
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
    script.table().remove_all(&keys(30)).await.unwrap();
    let asked: Vec<_> = script.asked().iter().map(deleted).collect();
    let set = |numbers: &[usize]| numbers.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(asked[0].len(), 25);
    assert_eq!((&asked[1], &asked[2]), (&set(&[3, 7]), &set(&[7])));
    assert_eq!(asked[3], set(&[25, 26, 27, 28, 29]), "and the rest after them");

    let script = Script::new([left(&[0])]);
    let error = script.table().remove_all(&keys(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unprocessed { operation: "BatchWriteItem" }));
    assert!(Contention::caused(&error));
    assert_eq!((script.asked().len(), script.pauses()), (8, 7));
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
    let items = script.table().get_all(&keys(3)).await.unwrap();
    assert_eq!(items.len(), 3);
    let asked = script.asked();
    assert_eq!(asked.len(), 3);
    for call in &asked {
        assert_eq!(call["RequestItems"]["t"]["ConsistentRead"], true, "also when it is asked for again");
    }

    let script = Script::new([found(&[], &[]), found(&[], &[])]);
    script.table().get_all(&keys(130)).await.unwrap();
    let sizes: Vec<_> = script
        .asked()
        .iter()
        .map(|call| call["RequestItems"]["t"]["Keys"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 30]);

    let script = Script::new([found(&[], &[0])]);
    let error = script.table().get_all(&keys(1)).await.unwrap_err();
    assert!(
        matches!(error, StoreError::Unprocessed { operation: "BatchGetItem" }) && Contention::caused(&error)
    );
}

#[tokio::test]
async fn a_batch_asks_of_each_table_what_it_wants_and_no_more() {
    let found = json!({ "Responses": { "t": [id(1)], "other": [id(2)] } });
    let script = Script::new([(200, found)]);
    let table = script.table();
    let wanted = table.wanted(keys(1), Read::Eventual).only(&["id", "name"]);
    let mut batch = table.batch_get([wanted]).await.unwrap();
    let one: Option<Thing> = batch.one_of(&table).unwrap();
    assert_eq!(one, Some(Thing { id: "1".to_owned() }));
    assert!(batch.items_of(&table).is_empty(), "it was taken");
    let expected = json!({
        "Keys": [id(0)], "ConsistentRead": false,
        "ProjectionExpression": "#id, #name", "ExpressionAttributeNames": { "#id": "id", "#name": "name" },
    });
    assert_eq!(script.asked()[0]["RequestItems"], json!({ "t": expected }));
    let script = Script::new([(400, json!({ "__type": "x#ThrottlingException" }))]);
    let table = script.table();
    let error = table.batch_get([table.wanted(keys(1), Read::Consistent)]).await.unwrap_err();
    assert!(Contention::caused(&error) && matches!(error, StoreError::Call { .. }));
}

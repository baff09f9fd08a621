//! Queries and lists: what they ask, where they go on, and when they end.

use super::support::{Script, Thing, key, wire};
use crate::{After, Condition, List, Page, Read};
use serde_json::{Value, json};

/// An answer with some items, and whether there is more.
fn found(ids: &[&str], goes_on: bool) -> (u16, Value) {
    let items: Vec<_> = ids.iter().map(|id| wire(id)).collect();
    let mut answer = json!({ "Items": items });
    if goes_on {
        answer["LastEvaluatedKey"] = wire(ids.last().unwrap_or(&"x"));
    }
    (200, answer)
}

fn list<'a>() -> List<'a> {
    List { index: "by", partition: ("all", "1"), sort_key: "at", backwards: true, within: None }
}

#[tokio::test]
async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let script = Script::new([found(&["a", "b"], true), found(&[], true), found(&["c"], false)]);
    let condition = Condition::equals("id", "a").and(Condition::of("begins_with(#sk, :p)").with("p", "o#"));
    let query = script.table().query(condition, Read::Consistent);
    let all: Vec<Thing> =
        query.filter(Condition::equals("state", "counted")).only(&["id"]).all().await.unwrap();
    assert_eq!(all.iter().map(|thing| thing.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let asked = script.asked();
    assert_eq!(
        asked[0],
        json!({
            "TableName": "t",
            "ConsistentRead": true,
            "KeyConditionExpression": "#id = :is_id AND begins_with(#sk, :p)",
            "FilterExpression": "#state = :is_state",
            "ProjectionExpression": "#id",
            "ExpressionAttributeNames": { "#id": "id", "#sk": "sk", "#state": "state" },
            "ExpressionAttributeValues": {
                ":is_id": { "S": "a" }, ":p": { "S": "o#" }, ":is_state": { "S": "counted" },
            },
        })
    );
    assert_eq!((&asked[1]["ExclusiveStartKey"], &asked[2]["ExclusiveStartKey"]), (&wire("b"), &wire("x")));
}

#[tokio::test]
async fn a_list_begins_behind_a_place_and_tells_whether_it_goes_on() {
    for (answer, shown, goes_on) in [
        (found(&[], false), 0, false),
        (found(&["a"], false), 1, false),
        (found(&["a", "b"], false), 2, false),
        // One more than asked for, which is not shown.
        (found(&["a", "b", "c"], true), 2, true),
        (found(&["a", "b", "c"], false), 2, true),
        // Large items filled it.
        (found(&["a"], true), 1, true),
        (found(&[], true), 0, true),
    ] {
        let table = Script::new([answer]).table();
        let page: Page<Thing> = table.page(&list(), None, 2).await.unwrap();
        assert_eq!((page.items.len(), page.goes_on), (shown, goes_on));
        let next = page.next(|thing| thing.id.clone());
        assert_eq!(next.is_some(), goes_on && shown > 0, "{next:?}");
    }
    let script = Script::new([]);
    let after = After { sort_key: "9".to_owned(), key: key("a") };
    let within = Some(("1".to_owned(), "9".to_owned()));
    let bounded = List { within, ..list() };
    script.table().page::<Thing>(&bounded, Some(after), 10).await.unwrap();
    assert_eq!(
        script.asked()[0],
        json!({
            "TableName": "t",
            "IndexName": "by",
            "KeyConditionExpression": "#all = :is_all AND #at BETWEEN :lowest AND :highest",
            "ExpressionAttributeNames": { "#all": "all", "#at": "at" },
            "ExpressionAttributeValues": {
                ":is_all": { "S": "1" }, ":lowest": { "S": "1" }, ":highest": { "S": "9" },
            },
            "ScanIndexForward": false,
            "Limit": 11,
            "ExclusiveStartKey": { "all": { "S": "1" }, "at": { "S": "9" }, "id": { "S": "a" } },
        })
    );
    let script = Script::new([]);
    script.table().page::<Thing>(&List { backwards: false, ..list() }, None, 1).await.unwrap();
    assert!(script.asked()[0].get("ScanIndexForward").is_none());
}

#[tokio::test]
async fn a_scan_is_consistent_and_ends_with_its_last_page() {
    let script = Script::new([found(&["a"], true), found(&["b"], false)]);
    let mut pages = script.table().scan(&Condition::of("#sk IN (:a)").with("a", "x"));
    let mut sizes = Vec::new();
    while let Some(items) = pages.next().await.unwrap() {
        sizes.push(items.len());
    }
    assert_eq!(sizes, [1, 1]);
    let asked = script.asked();
    assert_eq!(
        (&asked[0]["ConsistentRead"], &asked[0]["FilterExpression"]),
        (&json!(true), &json!("#sk IN (:a)"))
    );
    assert_eq!(asked[1]["ExclusiveStartKey"], wire("a"));
}

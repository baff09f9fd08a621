//! Who sees which statistics, and how the answer reads; at the end the whole function, tokens included, with
//! the fixture of events/.

use aws_sdk_dynamodb::Client;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shop_auth::{Grant, Role, TokenIssuer};
use shop_lambda::Invocation;

use super::*;
use crate::ledger::tests::{change, user};
use crate::ledger::{EntryState, StatsSnapshot};
use crate::store::Saved;
use crate::testing::{KEYS_TABLE, Table};

#[test]
fn the_answer_writes_money_with_the_digits_of_its_currency() {
    let snapshot = StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() };
    let changes = [change(1, EntryState::Counted), change(2, EntryState::Counted)];
    let stats = snapshot.apply(&changes, Timestamp::from_millis(9000)).unwrap().stats.unwrap();
    let last = &changes[1].order_id;
    let expected = format!(
        r#"{{"user_id":"{}","orders_placed":2,"amount_spent":[{{"currency":"JPY","amount":30}},{{"currency":"USD","amount":0.20}}],"last_order":{{"id":"{last}","placed_at":"1970-01-01T00:00:02.000Z"}},"version":1,"updated_at":"1970-01-01T00:00:09.000Z"}}"#,
        user()
    );
    assert_eq!(serde_json::to_string(&StatsView::of(&stats)).unwrap(), expected);
}

#[test]
fn a_user_without_orders_has_statistics_of_zero() {
    let stats = UserStats::empty(user());
    let expected = format!(
        r#"{{"user_id":"{}","orders_placed":0,"amount_spent":[],"last_order":null,"version":0,"updated_at":null}}"#,
        user()
    );
    assert_eq!(serde_json::to_string(&StatsView::of(&stats)).unwrap(), expected);
}

/// The function, and what it takes to issue tokens that it accepts.
struct Stage {
    table: Table,
    handler: Box<dyn shop_lambda::Handler>,
    issuer: TokenIssuer,
}

impl Stage {
    async fn new() -> Self {
        let table = Table::new();
        let environment = table.environment();
        let secret = "a secret that is known to tests only";
        let issuer = TokenIssuer::from_secret(secret, "https://shop.test", "shop").unwrap();
        issuer.publish(&Client::new(environment.sdk_config()), KEYS_TABLE).await.unwrap();
        Self { table, handler: FUNCTION.start(environment).await.unwrap(), issuer }
    }

    fn store(&self) -> StatsStore {
        let environment = self.table.environment();
        StatsStore::start(&environment, Client::new(environment.sdk_config())).unwrap()
    }

    /// Makes the user's account what an administrator's is, or a customer's, in an epoch.
    async fn account(&self, role: &str, epoch: u64) {
        let client = Client::new(self.table.environment().sdk_config());
        let put = client
            .put_item()
            .table_name("users")
            .item("pk", AttributeValue::S(user().to_string()))
            .item("sk", AttributeValue::S("account".to_owned()))
            .item("role", AttributeValue::S(role.to_owned()))
            .item("session_epoch", AttributeValue::N(epoch.to_string()));
        put.send().await.unwrap();
    }

    /// The status and the answer to the fixture's request, with changes.
    async fn get(&self, id: &str, role: Option<Role>, if_none_match: &str) -> (Value, Value) {
        let mut event: Value =
            serde_json::from_str(include_str!("../../../../events/get-user-stats.json")).unwrap();
        event["pathParameters"]["id"] = json!(id);
        let headers = event["headers"].as_object_mut().unwrap();
        headers.remove("authorization");
        headers.insert("if-none-match".into(), json!(if_none_match));
        if let Some(role) = role {
            let now = self.table.environment().clock().now();
            let grant = Grant { user: &user(), role, epoch: 1, session: None };
            let token = self.issuer.issue(&grant, [1; 16], now).unwrap();
            headers.insert("authorization".into(), json!(format!("Bearer {token}")));
        }
        let payload = serde_json::value::to_raw_value(&event).unwrap();
        let invocation = Invocation { payload, context: lambda_runtime::Context::default() };
        let answer: Value =
            serde_json::from_str(self.handler.handle(invocation).await.unwrap().get()).unwrap();
        let body = serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default();
        (answer["statusCode"].clone(), body)
    }
}

#[tokio::test]
async fn the_function_answers_from_the_table() {
    let stage = Stage::new().await;
    let (status, zero) = stage.get("me", Some(Role::Customer), "").await;
    assert_eq!((status, &zero["orders_placed"], &zero["version"]), (json!(200), &json!(0), &json!(0)));

    let snapshot = stage.store().snapshot(&user(), &BTreeSet::new()).await.unwrap();
    let update = snapshot.apply(&[change(0, EntryState::Counted)], Timestamp::from_millis(9000)).unwrap();
    assert_eq!(stage.store().save(&update).await.unwrap(), Saved::Done);
    let (status, one) = stage.get("me", Some(Role::Customer), "\"v0\"").await;
    assert_eq!((status, &one["orders_placed"]), (json!(200), &json!(1)));
    assert_eq!(one["amount_spent"], json!([{ "currency": "USD", "amount": 0.1 }]));
    assert_eq!(stage.get("me", Some(Role::Customer), "\"v1\"").await.0, 304);
}

#[tokio::test]
async fn the_function_shows_nobody_anothers_statistics() {
    let stage = Stage::new().await;
    let other = UserId::fresh(Timestamp::from_millis(2), [2; 10]);
    let (status, problem) = stage.get(other.as_str(), Some(Role::Customer), "").await;
    assert_eq!((status, &problem["code"]), (json!(404), &json!("not_found")));
    assert_eq!(stage.get("nobody", Some(Role::Admin), "").await.0, 404);
    assert_eq!(stage.get("me", None, "").await.0, 401);
}

#[tokio::test]
async fn an_administrator_sees_others_while_the_account_says_so() {
    let stage = Stage::new().await;
    let other = UserId::fresh(Timestamp::from_millis(2), [2; 10]);
    for (account, status) in [
        (None, 401),
        (Some(("admin", 1)), 200),
        (Some(("customer", 1)), 404),
        (Some(("admin", 2)), 401),
        (Some(("customer", 2)), 401),
    ] {
        if let Some((role, epoch)) = account {
            stage.account(role, epoch).await;
        }
        let answered = stage.get(other.as_str(), Some(Role::Admin), "").await.0;
        assert_eq!(answered, status, "{account:?}");
        // The own statistics are no power: they are read without asking the account.
        let count = stage.table.operations().len();
        assert_eq!(stage.get("me", Some(Role::Admin), "").await.0, 200);
        assert_eq!(stage.table.operations()[count..], ["GetItem"]);
    }
}

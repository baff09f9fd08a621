//! What the store does when DynamoDB answers with a conflict, a throttle or a failed condition. What the
//! expressions mean is tested over the embedded cloud, in tests/services.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::{Value, json};
use shop_events::Cause;
use shop_types::Timestamp;

use super::*;
use crate::product::tests::product;

/// A DynamoDB that answers what it was told to, in turn, and remembers what it was asked.
#[derive(Clone, Debug)]
struct Script {
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.asked.lock().unwrap().push(body);
        let (status, answer) = self.answers.lock().unwrap().pop_front().unwrap();
        let body = SdkBody::from(answer.to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), body)))
    }
}

fn store(answers: Vec<(u16, Value)>) -> (Store, Script) {
    let script = Script { answers: Arc::new(Mutex::new(answers.into())), asked: Arc::default() };
    let connector = script.clone();
    let credentials = Credentials::from_keys("key", "secret", None);
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
        .build();
    let count = Mutex::new(0_u8);
    let random = Random::new(move |bytes| {
        let mut count = count.lock().unwrap();
        *count += 1;
        bytes.fill(*count);
    });
    let variables = BTreeMap::from([("PRODUCTS_TABLE".to_owned(), "products".to_owned())]);
    let environment = Environment::new(variables, sdk, random);
    (Store::new(Client::new(environment.sdk_config()), &environment).unwrap(), script)
}

fn cancelled(code: &str) -> (u16, Value) {
    let error = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({"__type": error, "Message": "cancelled", "CancellationReasons": [{"Code": code}]}))
}

async fn replace(store: &Store) -> Result<bool, StoreError> {
    let after = product().deleted(Timestamp::from_millis(2), Cause::request("request-2"));
    store.replace(&product(), &after).await
}

#[tokio::test]
async fn a_conflict_is_tried_again_with_a_token_of_its_own() {
    let conflict = || cancelled("TransactionConflict");
    let (store, script) = store(vec![conflict(), conflict(), (200, json!({}))]);
    assert!(replace(&store).await.unwrap());
    let asked = script.asked.lock().unwrap();
    let tokens: Vec<_> = asked.iter().map(|body| body["ClientRequestToken"].as_str().unwrap()).collect();
    // Between two tokens a pause is drawn.
    assert_eq!(tokens, ["01".repeat(16), "03".repeat(16), "05".repeat(16)]);
    assert!(asked.iter().all(|body| body["TransactItems"] == asked[0]["TransactItems"]));
}

#[tokio::test]
async fn conflicts_without_end_are_no_success() {
    for reason in ["TransactionConflict", "ThrottlingError"] {
        let (store, script) = store(vec![cancelled(reason); 6]);
        assert!(!replace(&store).await.unwrap());
        assert_eq!(script.asked.lock().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_failed_condition_is_not_tried_again() {
    let (store, script) = store(vec![cancelled("ConditionalCheckFailed")]);
    assert!(!replace(&store).await.unwrap());
    assert_eq!(script.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_write_whose_end_is_not_known_is_an_error() {
    let error = "com.amazonaws.dynamodb.v20120810#TransactionInProgressException";
    for answer in [(400, json!({"__type": error})), cancelled("ValidationError"), (500, json!({}))] {
        let (store, _) = store(vec![answer]);
        replace(&store).await.unwrap_err();
    }
}

#[tokio::test]
async fn keys_that_were_left_out_are_asked_for_again() {
    let item = |id: &str| json!({"pk": {"S": id}, "sk": {"S": "stock"}});
    let left = json!({"products": {"Keys": [item("b")], "ConsistentRead": true}});
    let (store, script) = store(vec![
        (200, json!({"Responses": {"products": [item("a")]}, "UnprocessedKeys": left})),
        (200, json!({"Responses": {"products": [item("b")]}})),
    ]);
    let keys = vec![Kind::Stock.key("a"), Kind::Stock.key("b")];
    assert_eq!(store.get_many(keys).await.unwrap().len(), 2);
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0]["RequestItems"]["products"]["ConsistentRead"], true);
    assert_eq!(asked[1]["RequestItems"], left);
}

#[tokio::test]
async fn keys_that_are_always_left_out_are_an_error() {
    let key = json!({"pk": {"S": "a"}, "sk": {"S": "stock"}});
    let left = json!({"UnprocessedKeys": {"products": {"Keys": [key], "ConsistentRead": true}}});
    let (store, _) = store(vec![(200, left); 5]);
    let error = store.get_many(vec![Kind::Stock.key("a")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unprocessed { .. }), "{error:?}");
}

//! The users table (and the key table) for tests: dynoxide, a DynamoDB in this process, behind the SDK's HTTP
//! connector, so that production code runs unchanged with a real client.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource, TimeSource};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use dynoxide::Database;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shop_lambda::{Environment, Random};

const TABLE: &str = "users";
const SESSIONS_TABLE: &str = "sessions";
/// The key table.
pub(crate) const KEYS_TABLE: &str = "keys";

/// What happens to a call before it reaches the table: it may run other calls, or fail this one.
type Intercept = dyn Fn(&Table, &str, &[u8]) -> Option<(u16, String)> + Send + Sync;

/// An empty users table, the calls made to it, and an environment whose clients reach it.
#[derive(Clone)]
pub(crate) struct Table {
    database: Database,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    intercept: Arc<Mutex<Option<Arc<Intercept>>>>,
    secret: Arc<Mutex<String>>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let database = Database::memory().unwrap();
        let key = |name, kind| json!({ "AttributeName": name, "KeyType": kind });
        let text = |name| json!({ "AttributeName": name, "AttributeType": "S" });
        let of_two_keys = |name| {
            json!({ "TableName": name, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [text("pk"), text("sk")],
                "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")] })
        };
        for create in [
            of_two_keys(TABLE),
            of_two_keys(SESSIONS_TABLE),
            json!({ "TableName": KEYS_TABLE, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [text("id")], "KeySchema": [key("id", "HASH")] }),
        ] {
            database.create_table(serde_json::from_value(create).unwrap()).unwrap();
        }
        Self { database, calls: Arc::default(), intercept: Arc::default(), secret: Arc::default() }
    }

    /// Sets what every secret is.
    pub(crate) fn set_secret(&self, secret: &str) {
        secret.clone_into(&mut self.secret.lock().unwrap());
    }

    /// The environment of a function that uses the table.
    pub(crate) fn environment(&self) -> Environment {
        self.environment_at(SystemTimeSource::new())
    }

    /// The same with one more variable.
    pub(crate) fn environment_with(&self, name: &'static str, value: &'static str) -> Environment {
        self.environment_of(SystemTimeSource::new(), Some((name, value)))
    }

    /// The same with a clock of its own.
    pub(crate) fn environment_at(&self, time: impl TimeSource + 'static) -> Environment {
        self.environment_of(time, None)
    }

    fn environment_of(
        &self,
        time: impl TimeSource + 'static,
        variable: Option<(&'static str, &'static str)>,
    ) -> Environment {
        let table = self.clone();
        let credentials = aws_credential_types::Credentials::from_keys("key", "secret", None);
        let sdk = aws_types::SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_types::region::Region::new("eu-west-1"))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::disabled())
            .time_source(SharedTimeSource::new(time))
            .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(table.clone())))
            .build();
        let variables = [
            ("USERS_TABLE", TABLE),
            ("KEYS_TABLE", KEYS_TABLE),
            ("TOKEN_ISSUER", "https://shop.test"),
            ("TOKEN_AUDIENCE", "shop"),
            ("TOKEN_SECRET_ARN", "token-secret"),
            ("LOOKUP_SECRET_ARN", "lookup-secret"),
            ("SESSIONS_TABLE", SESSIONS_TABLE),
            ("REGISTRATIONS_PER_HOUR", "20"),
        ];
        let variables = variables.into_iter().chain(variable);
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Environment::new(variables.collect(), sdk, Random::system())
    }

    /// The operations called so far, in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// The body of the last call.
    pub(crate) fn last_call(&self) -> Value {
        self.calls.lock().unwrap().last().unwrap().1.clone()
    }

    /// Interferes with every call of an operation. Where `act` has an answer, it is the call's.
    pub(crate) fn before_each(
        &self,
        operation: &'static str,
        act: impl Fn(&Table, &[u8]) -> Option<(u16, String)> + Send + Sync + 'static,
    ) {
        let intercept = move |table: &Table, called: &str, body: &[u8]| {
            if called == operation { act(table, body) } else { None }
        };
        *self.intercept.lock().unwrap() = Some(Arc::new(intercept));
    }

    /// Interferes with the next call of an operation, once. `act` gets the call's body; its answer, if it has
    /// one, is the call's.
    pub(crate) fn before_next(
        &self,
        operation: &'static str,
        act: impl Fn(&Table, &[u8]) -> Option<(u16, String)> + Send + Sync + 'static,
    ) {
        let intercept = move |table: &Table, called: &str, body: &[u8]| {
            if called != operation {
                return None;
            }
            table.intercept.lock().unwrap().take();
            act(table, body)
        };
        *self.intercept.lock().unwrap() = Some(Arc::new(intercept));
    }

    fn answer(&self, operation: &str, body: &[u8]) -> (u16, String) {
        self.calls.lock().unwrap().push((operation.to_owned(), serde_json::from_slice(body).unwrap()));
        let intercept = self.intercept.lock().unwrap().clone();
        let answer = intercept.and_then(|intercept| intercept(self, operation, body));
        answer.unwrap_or_else(|| self.execute(operation, body))
    }

    /// Carries out a call.
    pub(crate) fn execute(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let database = &self.database;
        match operation {
            "GetItem" => run(body, |request| database.get_item(request)),
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            "GetSecretValue" => {
                (200, json!({ "SecretString": self.secret.lock().unwrap().as_str() }).to_string())
            }
            other => panic!("{other} is not used by this service"),
        }
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> (u16, String) {
    match call(serde_json::from_slice(body).unwrap()) {
        Ok(answer) => (200, serde_json::to_string(&answer).unwrap()),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let (status, body) = self.answer(&operation, request.body().bytes().unwrap());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Table")
    }
}

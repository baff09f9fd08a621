//! One service alone, or some together, over the embedded cloud: handlers and consumers as they are deployed,
//! wired by template.yaml, in virtual time. What other services would do, a test does itself.

mod accounts;
mod answer;
mod books;
mod calls;
mod crash;
mod dead_letters;
mod imports;
mod lines;
mod mail_tokens;
mod published;
mod queue;
mod reservation;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_async::time::SharedTimeSource;
use bytes::Bytes;
use http::{Method, Request};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shop_auth::{Grant, Role, TokenIssuer};
use shop_events::Event;
use shop_lambda::Function;
use shop_local::cloud::{Cloud, Options, simulated_runtime};
use shop_local::template::Template;
use shop_types::{Timestamp, UserId};

pub use accounts::{Account, Item, PASSWORD};
pub use answer::Answer;
pub use books::Books;
pub use calls::{Calls, Hold, Made};
pub use crash::crash_at_each_call;
pub use lines::Lines;
pub use published::Published;
pub use queue::order_event;
pub use reservation::reservation_request;

/// A secret as long as the stack's own, from which [`Service::issuer`] has its key.
pub const SECRET: &str = "a secret of sixty-four characters, which only this test knows!!";

/// Where requests come from, unless a test says otherwise.
const SOURCE: &str = "203.0.113.7";

/// A cloud that runs the functions of one service.
pub struct Service {
    /// The cloud.
    pub cloud: Cloud,
    /// Issues the tokens of a key that is not the stack's own.
    issuer: TokenIssuer,
    clock: SharedTimeSource,
}

/// Runs a test in virtual time.
///
/// # Errors
/// What the test returns.
pub fn simulate(test: impl Future<Output = Result<()>>) -> Result<()> {
    simulated_runtime()?.block_on(test)
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The administrator of [`Service`], whose account is there from the start.
fn administrator() -> UserId {
    UserId::fresh(Timestamp::from_millis(0), [1; 10])
}

/// What the users service stores of an administrator, as far as other services ask: nobody can log in to it.
fn account(user: &UserId) -> HashMap<String, AttributeValue> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = || AttributeValue::N("1".to_owned());
    let time = Timestamp::from_millis(0).to_string();
    HashMap::from([
        ("pk".to_owned(), text(user.as_str())),
        ("sk".to_owned(), text("account")),
        ("id".to_owned(), text(user.as_str())),
        ("role".to_owned(), text("admin")),
        ("session_epoch".to_owned(), number()),
        ("version".to_owned(), number()),
        ("created_at".to_owned(), text(&time)),
        ("updated_at".to_owned(), text(&time)),
        ("correlation_id".to_owned(), text("test")),
        ("actor".to_owned(), text("test")),
    ])
}

impl Service {
    /// Starts the functions of a service as the template wires them, and no others.
    ///
    /// # Errors
    /// When the template cannot be read, or the cloud does not start.
    pub async fn start(functions: &[Function], options: Options) -> Result<Self> {
        Self::start_with(functions, options, &[]).await
    }

    /// The same with parts of the template's text replaced: a subscription that lets less through, say, loses
    /// events for good.
    ///
    /// # Errors
    /// As [`Service::start`], and when the template does not have such a part exactly once.
    pub async fn start_with(
        functions: &[Function],
        mut options: Options,
        replaced: &[(&str, &str)],
    ) -> Result<Self> {
        options.observers.push(contract_check::observer());
        let mut text = std::fs::read_to_string(workspace().join("template.yaml"))?;
        for (part, by) in replaced {
            ensure!(text.matches(part).count() == 1, "the template has not exactly one {part}");
            text = text.replace(part, by);
        }
        let mut template = Template::parse(&text, &BTreeMap::new())?;
        let names: BTreeSet<_> = functions.iter().map(Function::name).collect();
        template.functions.retain(|_, function| names.contains(function.name.as_str()));
        let variables = template.functions.values().map(|function| &function.environment);
        let variable = |name: &str| {
            variables.clone().find_map(|variables| variables.get(name)).cloned().context(name.to_owned())
        };
        let issuer =
            TokenIssuer::from_secret(SECRET, variable("TOKEN_ISSUER")?, variable("TOKEN_AUDIENCE")?)?;
        let cloud = Cloud::start(&template, functions, options).await?;
        let sdk = cloud.sdk_config("test");
        issuer.publish(&aws_sdk_dynamodb::Client::new(&sdk), &variable("KEYS_TABLE")?).await?;
        let users = template.tables.get("UsersTable").context("the users table")?;
        aws_sdk_dynamodb::Client::new(&sdk)
            .put_item()
            .table_name(&users.name)
            .set_item(Some(account(&administrator())))
            .send()
            .await?;
        let clock = sdk.time_source().context("a clock")?;
        Ok(Self { cloud, issuer, clock })
    }

    /// A token of the administrator, who is the same user each time.
    fn administrator(&self) -> Result<String> {
        let grant = Grant { user: &administrator(), role: Role::Admin, epoch: 1, session: None };
        Ok(self.issuer.issue(&grant, [1; 16], self.now()?)?)
    }

    /// A token of another administrator, by number, whose account is put there.
    ///
    /// # Errors
    /// When it cannot be put.
    pub async fn other_administrator(&self, number: u8) -> Result<String> {
        let user = UserId::fresh(Timestamp::from_millis(0), [number; 10]);
        let client = aws_sdk_dynamodb::Client::new(&self.cloud.sdk_config("test"));
        let table = self.cloud.physical("UsersTable").context("the users table")?;
        client.put_item().table_name(table).set_item(Some(account(&user))).send().await?;
        let grant = Grant { user: &user, role: Role::Admin, epoch: 1, session: None };
        Ok(self.issuer.issue(&grant, [1; 16], self.now()?)?)
    }

    /// The issuer of a key that is not the stack's own, but published as if it were.
    #[must_use]
    pub fn issuer(&self) -> &TokenIssuer {
        &self.issuer
    }

    /// A customer's token of that issuer, of this moment.
    ///
    /// # Errors
    /// When the id is none.
    pub fn token(&self, user: &str) -> Result<String> {
        let grant = Grant { user: &user.parse()?, role: Role::Customer, epoch: 1, session: None };
        Ok(self.issuer.issue(&grant, [1; 16], self.now()?)?)
    }

    /// The time, by the cloud's clock.
    ///
    /// # Errors
    /// When it is before 1970.
    pub fn now(&self) -> Result<Timestamp> {
        let now = self.clock.now().duration_since(UNIX_EPOCH)?;
        Ok(Timestamp::from_millis(i64::try_from(now.as_millis())?))
    }

    /// The administrator sends a request.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.send_with(method, path, body, &[]).await
    }

    /// The administrator sends a request with headers.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let body = body.map(|body| Bytes::from(body.to_string()));
        let administrator = self.administrator()?;
        let mut all = vec![("authorization", administrator.as_str())];
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        all.extend_from_slice(headers);
        self.request(method, path, body.unwrap_or_default(), &all).await
    }

    /// Somebody sends exactly this.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            let bearer = if *name == "authorization" { "Bearer " } else { "" };
            request = request.header(*name, format!("{bearer}{value}"));
        }
        Answer::to(request.body(body)?, &self.cloud, SOURCE).await
    }

    /// Somebody sends no body, and this as the value of `Authorization`.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn raw(&self, method: &Method, path: &str, authorization: &str) -> Result<Answer> {
        let request = Request::builder().method(method).uri(path).header("authorization", authorization);
        Answer::to(request.body(Bytes::new())?, &self.cloud, SOURCE).await
    }

    /// Somebody at a network address sends a JSON body, without a token.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn post_from(&self, source: &str, path: &str, body: &Value) -> Result<Answer> {
        let request = Request::builder().method(Method::POST).uri(path);
        let request =
            request.header("content-type", "application/json").body(Bytes::from(body.to_string()))?;
        Answer::to(request, &self.cloud, source).await
    }

    /// Invokes a function with a payload.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value> {
        let payload = RawValue::from_string(payload.to_string())?;
        Ok(serde_json::from_str(self.cloud.invoke(function, payload).await?.get())?)
    }

    /// Delivers events to a consumer as one batch. The places of those that failed.
    ///
    /// # Errors
    /// When the consumer fails as a whole.
    pub async fn deliver(&self, consumer: &str, events: &[Event]) -> Result<Vec<usize>> {
        let mut records = Vec::new();
        for (place, event) in events.iter().enumerate() {
            records.push(json!({ "messageId": place.to_string(), "body": event.to_json()? }));
        }
        let answer = self.invoke(consumer, &json!({ "Records": records })).await?;
        let failures = answer["batchItemFailures"].as_array().context("failures")?;
        let place = |failure: &Value| Ok(failure["itemIdentifier"].as_str().context("an id")?.parse()?);
        failures.iter().map(place).collect()
    }

    /// Lets virtual time pass; what is scheduled meanwhile happens.
    pub async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Invokes a function with its fixture, the token in it replaced by the administrator's.
    ///
    /// # Errors
    /// When there is no such fixture, or the function fails.
    pub async fn invoke_fixture(&self, function: &str) -> Result<Value> {
        let path = workspace().join("events").join(format!("{function}.json"));
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let payload = RawValue::from_string(
            text.replace("Bearer TOKEN", &format!("Bearer {}", self.administrator()?)),
        )?;
        Ok(serde_json::from_str(self.cloud.invoke(function, payload).await?.get())?)
    }
}

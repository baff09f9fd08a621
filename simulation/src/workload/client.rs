//! An HTTP client as people use one: it says who asks, tries again where that is safe, and what it was answered
//! is remembered for the end, when the shop must still stand by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use shop_auth::{Grant, Role, TokenIssuer};
use shop_events::OrderStatus;
use shop_lambda::Clock;
use shop_local::cloud::Cloud;
use shop_types::UserId;

use super::exporting::Exported;
use super::held::People;
use super::importing::Started;
use super::plan::Shopper;
use crate::model::Model;
use crate::services::Shown;
use crate::violation::Violation;

/// How often a request is sent that may be sent again, and the pause in between.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(1500);

/// The session epoch of an account from whose sessions nobody has taken anything.
const FIRST_EPOCH: u64 = 1;

/// A request, and who sends it.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    who: Shopper,
    method: Method,
    path: &'a str,
    body: Option<&'a Value>,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(who: Shopper, method: Method, path: &'a str) -> Self {
        Self { who, method, path, body: None, headers: Vec::new() }
    }

    pub(crate) fn body(self, body: &'a Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(crate) fn key(self, key: Option<&'a str>) -> Self {
        self.headers(key.map(|key| ("idempotency-key", key)))
    }

    pub(crate) fn headers(mut self, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The user who asked, at that moment; none for a guest.
    pub(crate) user: Option<String>,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What an order's shopper was told: the shop must stand by it for ever.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// The user who asked; none for a guest.
    pub(crate) user: Option<String>,
    pub(crate) key: Option<String>,
    /// The body that was sent.
    pub(crate) asked: Value,
    /// The order that was answered.
    pub(crate) order: Value,
}

/// What people were told, and what they saw that they must not see.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By operation; the last answer of each.
    pub(crate) orders: BTreeMap<usize, Answered>,
    /// Stock changes that were acknowledged: the product, the level and the counter's version.
    pub(crate) levels: Vec<(String, u64, u64)>,
    /// Accounts that were acknowledged, and those whose deletion was.
    pub(crate) registered: Vec<String>,
    pub(crate) left: Vec<String>,
    /// Sessions whose end was acknowledged.
    pub(crate) logged_out: BTreeSet<String>,
    /// Imports whose start was acknowledged.
    pub(crate) imports: Vec<Started>,
    /// Exports that were acknowledged.
    pub(crate) exports: Vec<Exported>,
    /// Orders whose cancellation was acknowledged.
    pub(crate) cancelled: Vec<String>,
    /// Orders whose shipment or delivery was acknowledged.
    pub(crate) sent: Vec<(String, OrderStatus)>,
    /// What a search found of each product when all was quiet.
    pub(crate) found: Option<BTreeMap<String, Shown>>,
    pub(crate) violations: Vec<Violation>,
    /// One line for each answer.
    pub(crate) lines: Vec<String>,
}

/// Sends requests to the shop as anybody.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    cloud: Cloud,
    issuer: TokenIssuer,
    clock: Clock,
    customers: Vec<UserId>,
    administrator: UserId,
    people: People,
    model: Arc<Model>,
    history: Mutex<History>,
}

impl Client {
    pub(crate) fn new(
        cloud: Cloud,
        issuer: TokenIssuer,
        clock: Clock,
        customers: Vec<UserId>,
        administrator: UserId,
        model: Arc<Model>,
    ) -> Self {
        let (people, history) = (People::default(), Mutex::default());
        Self(Arc::new(Inner { cloud, issuer, clock, customers, administrator, people, model, history }))
    }

    /// The user that a shopper is at the moment; none for a guest.
    pub(crate) fn user(&self, who: Shopper) -> Option<String> {
        match who {
            Shopper::Customer(number) => self.0.customers.get(number).map(ToString::to_string),
            Shopper::Administrator => Some(self.0.administrator.to_string()),
            Shopper::Person(number) => self.0.people.session(number).map(|session| session.user),
            Shopper::Guest => None,
        }
    }

    /// The sessions of those with an account.
    pub(crate) fn people(&self) -> &People {
        &self.0.people
    }

    /// The tokens that a shopper holds or held, oldest first.
    pub(crate) fn tokens(&self, who: Shopper) -> Vec<String> {
        match who {
            Shopper::Person(number) => self.0.people.tokens(number),
            _ => self.token(who).into_iter().map(|(_, token)| token).collect(),
        }
    }

    pub(crate) fn model(&self) -> &Model {
        &self.0.model
    }

    /// The user that a shopper is at the moment, and the token that says so.
    fn token(&self, who: Shopper) -> Option<(String, String)> {
        let (user, role) = match who {
            Shopper::Customer(number) => (self.0.customers.get(number)?, Role::Customer),
            Shopper::Administrator => (&self.0.administrator, Role::Admin),
            Shopper::Person(number) => {
                let session = self.0.people.session(number)?;
                return Some((session.user, session.access));
            }
            Shopper::Guest => return None,
        };
        Some((user.to_string(), self.issue(user, role, FIRST_EPOCH)?))
    }

    /// A token of somebody who is an administrator at this moment.
    pub(crate) fn token_of_an_administrator(&self) -> Option<String> {
        let model = self.model().lock();
        let (user, epoch) = model.services.users.an_administrator()?;
        self.issue(user, Role::Admin, epoch)
    }

    /// What makes the tokens of those without an account.
    pub(crate) fn issuer(&self) -> &TokenIssuer {
        &self.0.issuer
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        self.0.clock.now().as_millis()
    }

    fn issue(&self, user: &UserId, role: Role, epoch: u64) -> Option<String> {
        let grant = Grant { user, role, epoch, session: None };
        match self.0.issuer.issue(&grant, [1; 16], self.0.clock.now()) {
            Ok(token) => Some(token),
            Err(error) => {
                self.report_violation(Violation::new("the-harness-works", error.to_string()));
                None
            }
        }
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody saw what they must not see.
    pub(crate) fn report_violation(&self, violation: Violation) {
        self.history().violations.push(violation);
    }

    /// Puts a file where a presigned URL says; whether S3 took it.
    pub(crate) async fn upload(&self, url: &str, file: String) -> bool {
        let Ok(request) = http::Request::builder().method(Method::PUT).uri(url).body(Bytes::from(file))
        else {
            return false;
        };
        self.0.cloud.invoke_presigned(request).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// What is under a presigned URL; nothing if it is refused.
    pub(crate) async fn download(&self, url: &str) -> Option<Bytes> {
        let request = http::Request::builder().method(Method::GET).uri(url).body(Bytes::new()).ok()?;
        let answer = self.0.cloud.invoke_presigned(request).await.ok()?;
        answer.status().is_success().then(|| answer.into_body())
    }

    pub(crate) async fn send(&self, request: &Request<'_>) -> Answer {
        let Request { who, method, path, body, headers } = request;
        let mut builder = http::Request::builder().method(method.clone()).uri(*path);
        let (user, token) = self.token(*who).unzip();
        if let Some(token) = token {
            builder = builder.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let bytes = match body {
            Some(body) => {
                builder = builder.header("content-type", "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let response = match builder.body(bytes) {
            Ok(request) => self.0.cloud.invoke_http(request, "203.0.113.7").await,
            Err(error) => {
                self.report_violation(Violation::new("the-harness-works", error.to_string()));
                return Answer { user, status: 0, body: Value::Null };
            }
        };
        let status = response.status().as_u16();
        if status == 429 && !response.headers().contains_key("retry-after") {
            let seen = format!("{method} {path} was refused, and not told until when");
            self.report_violation(Violation::new("orders-keep-to-their-budget", seen));
        }
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let now = self.now();
        let line = format!(
            "{now} http {who:?} {method} {path} {} {headers:?} -> {status} {}",
            body.map(Value::to_string).unwrap_or_default(),
            unsigned(&answer),
        );
        self.history().lines.push(line);
        Answer { user, status, body: answer }
    }

    /// Sends a request that may be sent again, until the answer is no failure of the shop's.
    pub(crate) async fn persist(&self, request: &Request<'_>) -> Answer {
        let mut answer = self.send(request).await;
        for _ in 1..TRIES {
            if answer.status < 500 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = self.send(request).await;
        }
        answer
    }
}

/// An answer to an administrator: whoever is one by now.
pub(crate) async fn ask(client: &Client, path: &str) -> Value {
    as_administrator(client, Method::GET, path, None).await
}

/// What an administrator asks for, whoever is one by now.
pub(crate) async fn order(client: &Client, path: &str, body: &Value) -> Value {
    as_administrator(client, Method::POST, path, Some(body)).await
}

async fn as_administrator(client: &Client, method: Method, path: &str, body: Option<&Value>) -> Value {
    let authorization = client.token_of_an_administrator().map(|token| format!("Bearer {token}"));
    let authorization = authorization.iter().map(|token| ("authorization", token.as_str()));
    let request = Request::new(Shopper::Guest, method, path).headers(authorization);
    let request = match body {
        Some(body) => request.body(body),
        None => request,
    };
    client.persist(&request).await.body
}

/// An answer without the query of its presigned address: a signature names the region of the cloud, and no two clouds of a
/// process have the same.
fn unsigned(answer: &Value) -> String {
    let text = answer.to_string();
    match text.split_once("?x-id=").and_then(|(before, query)| Some((before, query.split_once('"')?.1))) {
        Some((before, behind)) => format!("{before}\"{behind}"),
        None => text,
    }
}

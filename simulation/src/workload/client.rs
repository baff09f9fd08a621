//! An HTTP client as people use one: it says who asks, tries again where that is safe, and what it was answered
//! is remembered for the end, when the shop must still stand by it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;
use shop_auth::{Role, TokenIssuer};
use shop_lambda::Clock;
use shop_local::cloud::Cloud;
use shop_types::UserId;

use super::draw::Shopper;
use crate::books::Violation;

/// How often a request is sent that may be sent again, and the pause in between.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_millis(1500);

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What an order's shopper was told: the shop must stand by it for ever.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) who: Shopper,
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
    /// Orders whose cancellation was acknowledged.
    pub(crate) cancelled: Vec<String>,
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
    history: Mutex<History>,
}

impl Client {
    pub(crate) fn new(
        cloud: Cloud,
        issuer: TokenIssuer,
        clock: Clock,
        customers: Vec<UserId>,
        administrator: UserId,
    ) -> Self {
        let history = Mutex::default();
        Self(Arc::new(Inner { cloud, issuer, clock, customers, administrator, history }))
    }

    /// The user that a shopper is; none for a guest.
    pub(crate) fn user(&self, who: Shopper) -> Option<&UserId> {
        match who {
            Shopper::Customer(number) => self.0.customers.get(number),
            Shopper::Administrator => Some(&self.0.administrator),
            Shopper::Guest => None,
        }
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody saw what they must not see.
    pub(crate) fn accuse(&self, violation: Violation) {
        self.history().violations.push(violation);
    }

    /// Sends a request; `None` where no token can be made, which ends the run with a violation of its own.
    pub(crate) async fn send(
        &self,
        who: Shopper,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Answer {
        let mut request = Request::builder().method(method.clone()).uri(path);
        if let Some(user) = self.user(who) {
            let role = if who == Shopper::Administrator { Role::Admin } else { Role::Customer };
            match self.0.issuer.mint(user, role, self.0.clock.now()) {
                Ok(token) => request = request.header("authorization", format!("Bearer {token}")),
                Err(error) => self.accuse(Violation::new("the-harness-works", error.to_string())),
            }
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let response = match request.body(bytes) {
            Ok(request) => self.0.cloud.invoke_http(request, "203.0.113.7").await,
            Err(error) => {
                self.accuse(Violation::new("the-harness-works", error.to_string()));
                return Answer { status: 0, body: Value::Null };
            }
        };
        let status = response.status().as_u16();
        let answer: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let now = self.0.clock.now().as_millis();
        let line = format!(
            "{now} http {who:?} {method} {path} {} key={} -> {status} {answer}",
            body.map(Value::to_string).unwrap_or_default(),
            key.unwrap_or("none"),
        );
        self.history().lines.push(line);
        Answer { status, body: answer }
    }

    /// Sends a request that may be sent again, until the answer is no failure of the shop's.
    pub(crate) async fn persist(
        &self,
        who: Shopper,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Answer {
        let mut answer = self.send(who, method.clone(), path, body, key).await;
        for _ in 1..TRIES {
            if answer.status < 500 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = self.send(who, method.clone(), path, body, key).await;
        }
        answer
    }
}

//! The emails service, with orders and accounts as their own services would have stored them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Published, Service};
use shop_events::{
    Cause, Event, EventData, OrderCancelled, OrderSnapshot, OrderStatus, UserEmailConfirmationRequested,
    UserPasswordResetRequested, UserSnapshot,
};
use shop_local::cloud::{AwsError, Call, Fault, Interceptor, Options, SentMail, Service as Aws};
use shop_types::{OrderId, Timestamp, UserId};

/// Where the template says from whom mails are.
const NO_SENDER: &str = "EmailFrom:\n    Type: String\n    Default: \"\"";
const SENDER: &str = "EmailFrom:\n    Type: String\n    Default: mail@shop.example";

pub(crate) const ADA: &str = "usr_0000000000000000000000000a";
pub(crate) const ADDRESS: &str = "ada@example.com";
pub(crate) const GUEST: &str = "guest@example.com";

/// What SES does to those who call it.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    Well,
    /// It refuses.
    Refuses(AwsError),
    /// It takes messages, and its answers are lost.
    LosesAnswers,
    /// It neither takes a message nor answers.
    Silent,
    /// It takes a message, and whoever called dies before the answer.
    Kills,
}

/// Stands between the service and SES.
#[derive(Debug)]
pub(crate) struct Ses {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    /// Whether its events reach no queue.
    loses_events: bool,
    calls: usize,
}

impl Ses {
    pub(crate) fn is(&self, mood: Mood) {
        self.state().mood = mood;
    }

    pub(crate) fn loses_events(&self, loses: bool) {
        self.state().loses_events = loses;
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interceptor for Ses {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        if call.service != Aws::Ses {
            return ready(None).boxed();
        }
        let mut state = self.state();
        state.calls += 1;
        match &state.mood {
            Mood::Refuses(error) => ready(Some(Fault::Error(error.clone()))).boxed(),
            Mood::Silent => {
                // In virtual time, and longer than any attempt waits.
                tokio::time::sleep(Duration::from_secs(30)).map(|()| Some(Fault::Disconnected)).boxed()
            }
            Mood::Well | Mood::LosesAnswers | Mood::Kills => ready(None).boxed(),
        }
    }

    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let fault = match self.state().mood {
            Mood::LosesAnswers if call.service == Aws::Ses => Some(Fault::Disconnected),
            Mood::Kills if call.service == Aws::Ses => Some(Fault::Crashed),
            _ => None,
        };
        ready(fault).boxed()
    }

    fn copies(&self, queue: &str, _message: &str) -> Vec<Duration> {
        let is_lost = self.state().loses_events && queue.ends_with("NoteEmailFeedbackQueue");
        if is_lost { Vec::new() } else { vec![Duration::ZERO] }
    }
}

pub(crate) struct Stage {
    pub(crate) service: Service,
    pub(crate) ses: Arc<Ses>,
    published: Arc<Published>,
}

/// An order, as its service stores it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    customer: Option<UserId>,
}

impl Order {
    pub(crate) fn of(customer: Option<&str>, name: &str) -> Result<Self> {
        let id = OrderId::derived(b"test", "test", name);
        Ok(Self { id, customer: customer.map(str::parse).transpose()? })
    }

    /// The event that it has come to a status.
    pub(crate) fn event(&self, status: OrderStatus) -> Event {
        let snapshot = OrderSnapshot {
            order_id: self.id.clone(),
            customer_id: self.customer.clone(),
            status,
            lines: Vec::new(),
            total: shop_types::Money { minor: 5998, currency: shop_types::Currency::USD },
            placed_at: Timestamp::from_millis(1_795_446_000_000),
        };
        let data = match status {
            OrderStatus::Cancelled => {
                EventData::OrderCancelled(OrderCancelled { order: snapshot, cancelled_from: None })
            }
            OrderStatus::Rejected => EventData::OrderRejected(shop_events::OrderRejected {
                order: snapshot,
                reason: shop_events::RejectionReason::InsufficientStock,
                shortages: Vec::new(),
            }),
            OrderStatus::Shipped => {
                EventData::OrderShipped(shop_events::OrderShipped { order: snapshot, tracking_number: None })
            }
            _ => EventData::OrderConfirmed(snapshot),
        };
        let version = if status == OrderStatus::Cancelled { 3 } else { 2 };
        Event::new(
            data,
            version,
            Timestamp::from_millis(1_795_446_001_000),
            Cause::request("request-1").by("guest"),
        )
    }
}

impl Stage {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(|_| {}, &[(NO_SENDER, SENDER)]).await
    }

    /// A shop that has no address to send from.
    pub(crate) async fn bare() -> Result<Self> {
        Self::with(|_| {}, &[]).await
    }

    pub(crate) async fn with(set: impl FnOnce(&mut Options), replaced: &[(&str, &str)]) -> Result<Self> {
        let state = Mutex::new(State { mood: Mood::Well, loses_events: false, calls: 0 });
        let (ses, published) = (Arc::new(Ses { state }), Arc::new(Published::default()));
        let mut options = Options {
            interceptor: Some(Arc::<Ses>::clone(&ses)),
            observers: vec![Arc::<Published>::clone(&published)],
            ..Options::simulated(1)
        };
        set(&mut options);
        let functions: Vec<_> = emails::SERVICE.functions().into_iter().collect();
        let service = Service::start_with(&functions, options, replaced).await?;
        Ok(Self { service, ses, published })
    }

    /// The same with a sender, and with settings.
    pub(crate) async fn sending(set: impl FnOnce(&mut Options), replaced: &[(&str, &str)]) -> Result<Self> {
        let all: Vec<_> = replaced.iter().copied().chain([(NO_SENDER, SENDER)]).collect();
        Self::with(set, &all).await
    }

    async fn put(&self, table: &str, item: &Value) -> Result<()> {
        let client = aws_sdk_dynamodb::Client::new(&self.service.cloud.sdk_config("test"));
        let table = self.service.cloud.physical(table).context("the table")?;
        let item = serde_dynamo::to_item(item)?;
        client.put_item().table_name(table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Stores an order in a status; a guest's with an address.
    pub(crate) async fn store(
        &self,
        order: &Order,
        status: OrderStatus,
        address: Option<&str>,
    ) -> Result<()> {
        let mut item = json!({
            "id": order.id, "status": status, "version": 2, "placed_at": "2026-11-23T15:00:00.000Z",
            "updated_at": "2026-11-23T15:00:01.000Z", "total": { "amount": 5998, "currency": "USD" },
            "lines": [{ "product_id": "mug", "name": "Ceramic mug", "quantity": 2, "unit_price": 2999 }],
            "correlation_id": "request-1",
        });
        if let Some(customer) = &order.customer {
            item["customer_id"] = json!(customer);
        }
        if let Some(address) = address {
            item["contact_email"] = json!(address);
        }
        if status == OrderStatus::Rejected {
            let shortages = json!([{ "product_id": "mug", "requested": 2, "available": 1 }]);
            item["rejection"] = json!({ "reason": "insufficient_stock", "shortages": shortages });
        }
        if status == OrderStatus::Shipped {
            item["tracking_number"] = json!("1Z999");
        }
        self.put("OrdersTable", &item).await
    }

    /// Stores Ada's account; one that was deleted has no profile.
    pub(crate) async fn register(&self, name: &str, address: Option<&str>) -> Result<()> {
        let mut item = json!({
            "pk": ADA, "sk": "account", "id": ADA, "role": "customer", "session_epoch": 1, "version": 1,
            "created_at": "2026-11-23T15:00:00.000Z", "updated_at": "2026-11-23T15:00:00.000Z",
            "correlation_id": "request-1",
        });
        if let Some(address) = address {
            item["profile"] = json!({ "name": name, "email": address, "login": "a-keyed-hash" });
        }
        self.put("UsersTable", &item).await
    }

    /// The event that Ada has registered.
    pub(crate) fn registered() -> Result<Event> {
        let registered_at = Timestamp::from_millis(1_795_446_000_000);
        let data = UserSnapshot { user_id: ADA.parse()?, is_admin: false, registered_at };
        let cause = Cause::request("request-2").by(ADA);
        Ok(Event::new(EventData::UserRegistered(data), 1, registered_at, cause))
    }

    /// The event that Ada has asked for another password, so many seconds after.
    pub(crate) fn reset_requested(seconds: i64) -> Result<Event> {
        let requested_at = Timestamp::from_millis(1_795_446_000_000 + seconds * 1000);
        let data = UserPasswordResetRequested { user_id: ADA.parse()?, requested_at };
        let cause = Cause::request("request-3").by("guest");
        Ok(Event::new(EventData::UserPasswordResetRequested(data), 2, requested_at, cause))
    }

    /// The event that Ada has asked for another mail that confirms the address, so many seconds after.
    pub(crate) fn confirmation_requested(seconds: i64) -> Result<Event> {
        let requested_at = Timestamp::from_millis(1_795_446_000_000 + seconds * 1000);
        let data = UserEmailConfirmationRequested { user_id: ADA.parse()?, requested_at };
        let cause = Cause::request("request-4").by(ADA);
        Ok(Event::new(EventData::UserEmailConfirmationRequested(data), 2, requested_at, cause))
    }

    /// A guest's order that is confirmed, and the event of that.
    pub(crate) async fn confirmed(&self, name: &str) -> Result<(Order, Event)> {
        let order = Order::of(None, name)?;
        self.store(&order, OrderStatus::Confirmed, Some(GUEST)).await?;
        let event = order.event(OrderStatus::Confirmed);
        Ok((order, event))
    }

    pub(crate) async fn send(&self, events: &[Event]) -> Result<()> {
        self.service.send_events("SendEmailQueue", events).await
    }

    pub(crate) fn mailbox(&self) -> Vec<SentMail> {
        self.service.cloud.mailbox()
    }

    /// The one mail about an order, as the API shows it.
    pub(crate) async fn email(&self, order: &Order) -> Result<Value> {
        let mut all = self.emails(&format!("?order_id={}", order.id)).await?;
        ensure!(all.len() == 1, "{all:?}");
        Ok(all.remove(0))
    }

    pub(crate) async fn emails(&self, query: &str) -> Result<Vec<Value>> {
        let answer = self.service.send(Method::GET, &format!("/emails{query}"), None).await?.expect(200)?;
        Ok(answer.body["data"].as_array().context("data")?.clone())
    }

    /// The types of the shop's events so far; one that was published twice is one.
    pub(crate) fn told(&self) -> Result<Vec<String>> {
        let mut ids = BTreeSet::new();
        let events = self.published.events()?;
        let own = events.iter().filter(|event| event["specversion"].is_string());
        let events = own.filter(|event| ids.insert(event["id"].to_string()));
        Ok(events.map(|event| event["type"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Nothing that lies in the table of mails, or that was published of them, holds an address.
    pub(crate) async fn holds_no_address(&self) -> Result<()> {
        let client = aws_sdk_dynamodb::Client::new(&self.service.cloud.sdk_config("test"));
        let table = self.service.cloud.physical("EmailsTable").context("the table")?;
        let found = client.scan().table_name(table).send().await?;
        ensure!(found.count() > 0, "there is no mail");
        let stored = format!("{:?}", found.items());
        ensure!(!stored.contains('@'), "{stored}");
        for event in self.published.events()?.iter().filter(|event| event["specversion"].is_string()) {
            ensure!(!event.to_string().contains('@'), "{event}");
        }
        Ok(())
    }
}

/// SES says that it is asked too often.
pub(crate) fn throttled() -> AwsError {
    AwsError::client("TooManyRequestsException", "Too many requests").with_status(429)
}

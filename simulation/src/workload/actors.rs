//! Carries operations out, each at its time, and looks at the answers as their askers would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use shop_events::OrderStatus;

use super::client::{Answer, Answered, Client, Request};
use super::plan::{Action, Look, Operation, Plan, Shopper, Ware};
use super::reading::{self, Thing};
use super::{administrators, exporting, importing, monitoring, people, redriving};
use crate::case::Case;
use crate::violation::Violation;

/// Where guests are written to.
const GUEST_ADDRESS: &str = "guest@example.com";
/// When a change should be seen by strangers, where nothing goes wrong: a batch's window, the call, and CloudFront.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Whoever does something in a run.
#[derive(Clone)]
pub(crate) struct Actors {
    pub(crate) client: Client,
    plan: Arc<Plan>,
    /// The orders that were acknowledged, by operation.
    orders: Arc<Mutex<BTreeMap<usize, Placed>>>,
}

/// An order that was acknowledged.
#[derive(Clone)]
struct Placed {
    id: String,
    /// The token, where it was placed without an account.
    token: Option<String>,
}

impl Actors {
    pub(crate) fn new(client: Client, plan: Arc<Plan>) -> Self {
        Self { client, plan, orders: Arc::default() }
    }

    /// Puts the first products into the catalogue. Nothing goes wrong yet, so whatever does is a violation.
    pub(crate) async fn open(&self) {
        for ware in &self.plan.wares {
            let answer = self.create(ware).await;
            if answer.status != 201 {
                self.client
                    .report_violation(Violation::new("the-harness-works", format!("a product: {answer:?}")));
            }
        }
    }

    /// Starts every operation of a case at its time, and waits for all of them.
    pub(crate) async fn run(&self, case: &Case) {
        let tasks: Vec<_> = (0..self.plan.operations.len())
            .filter(|number| case.includes(*number))
            .map(|number| {
                let actors = self.clone();
                tokio::spawn(async move {
                    let plan = Arc::clone(&actors.plan);
                    let operation = &plan.operations[number];
                    tokio::time::sleep(Duration::from_millis(operation.at)).await;
                    actors.carry_out(number, operation).await;
                })
            })
            .collect();
        for task in tasks {
            if let Err(error) = task.await {
                self.client.report_violation(Violation::new("the-harness-works", error.to_string()));
            }
        }
    }

    /// When all is quiet: holds every list against what is written.
    pub(crate) async fn read_all(&self) {
        reading::walk_all(&self.client, self.plan.customers).await;
        importing::check_all(&self.client).await;
        exporting::read_all(&self.client).await;
        monitoring::check_all(&self.client).await;
    }

    async fn carry_out(&self, number: usize, operation: &Operation) {
        let who = operation.who;
        match &operation.action {
            Action::Place { lines, key, with_prices } => {
                self.place(number, who, lines, key.as_deref(), *with_prices).await;
            }
            Action::Cancel(order) => self.cancel(*order, who).await,
            Action::Send { order, to } => self.send(*order, *to, who).await,
            Action::SetStock { product, level } => {
                for change in levels_of(*level) {
                    self.adjust(*product, &change, None, true).await;
                }
            }
            Action::MoveStock { product, delta, key } => {
                // Without a key a second try might be a second change.
                self.adjust(*product, &json!({ "delta": delta }), key.as_deref(), key.is_some()).await;
            }
            Action::Reprice { product, price } => {
                let path = format!("/products/{}", self.ware(*product).id);
                let body = json!({ "price": amount(*price) });
                self.before_and_after(*product, async {
                    self.client.persist(&Request::new(who, Method::PATCH, &path).body(&body)).await;
                })
                .await;
            }
            Action::Delete(product) => {
                let path = format!("/products/{}", self.ware(*product).id);
                self.before_and_after(*product, async {
                    self.client.persist(&Request::new(who, Method::DELETE, &path)).await;
                })
                .await;
            }
            Action::Create(ware) => drop(self.create(ware).await),
            Action::Look(look) => self.look(*look, who).await,
            Action::Import(paper) => importing::act(&self.client, paper).await,
            Action::Redrive => redriving::act(&self.client).await,
            Action::Export { is_csv } => exporting::act(&self.client, *is_csv).await,
            Action::Govern { what, use_old } => {
                administrators::govern(&self.client, who, what, *use_old).await;
            }
            Action::Register { .. }
            | Action::LogIn
            | Action::Refresh { .. }
            | Action::Rename
            | Action::ChangeAddress
            | Action::ChangePassword
            | Action::LogOut
            | Action::Leave => {
                if let Shopper::Person(number) = who {
                    people::act(&self.client, number, &self.plan.people[number], &operation.action).await;
                }
            }
        }
    }

    /// A stranger looks at a product before it changes, so that the answer is kept, and when it should be forgotten.
    async fn before_and_after(&self, product: usize, change: impl Future<Output = ()>) {
        self.look(Look::Product(product), Shopper::Guest).await;
        change.await;
        tokio::time::sleep(FORGOTTEN_AFTER).await;
        self.look(Look::Product(product), Shopper::Guest).await;
    }

    fn ware(&self, product: usize) -> &Ware {
        &self.plan.wares[product]
    }

    async fn create(&self, ware: &Ware) -> Answer {
        let body = json!({
            "id": ware.id, "name": format!("Ware {}", ware.id), "price": amount(ware.price), "stock": ware.stock,
            "low_stock_threshold": ware.stock.saturating_sub(2),
        });
        let request = Request::new(Shopper::Administrator, Method::POST, "/products").body(&body);
        self.client.persist(&request).await
    }

    async fn place(
        &self,
        number: usize,
        who: Shopper,
        lines: &[(usize, u32)],
        key: Option<&str>,
        prices: bool,
    ) {
        let item = |(product, quantity): &(usize, u32)| {
            let ware = self.ware(*product);
            let mut item = json!({ "product_id": ware.id, "quantity": quantity });
            if prices {
                item["price"] = amount(ware.price);
            }
            item
        };
        let mut asked = json!({ "items": lines.iter().map(item).collect::<Vec<_>>() });
        if who == Shopper::Guest {
            // The same of all guests: a key that is used again comes with it.
            asked["email"] = json!(GUEST_ADDRESS);
        }
        let request = Request::new(who, Method::POST, "/orders").body(&asked).key(key);
        let answer = match key {
            Some(_) => self.client.persist(&request).await,
            // Without a key a second try might be a second order.
            None => self.client.send(&request).await,
        };
        if answer.status == 201 {
            let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
            let placed = Placed { id: text("id").unwrap_or_default(), token: text("order_token") };
            if placed.token.is_some() != answer.user.is_none() {
                let seen = format!("{who:?}: {}", answer.body);
                self.client.report_violation(Violation::new("a-guest-s-order-has-a-token", seen));
            }
            self.orders.lock().unwrap_or_else(PoisonError::into_inner).insert(number, placed);
            let key = key.map(str::to_owned);
            let answered = Answered { user: answer.user, key, asked, order: answer.body };
            self.client.history().orders.insert(number, answered);
        }
    }

    fn order(&self, operation: usize) -> Option<Placed> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).get(&operation).cloned()
    }

    async fn cancel(&self, order: usize, who: Shopper) {
        let Some(placed) = self.order(order) else { return };
        let path = format!("/orders/{}/cancel", placed.id);
        let request = Request::new(who, Method::POST, &path).headers(self.proof(order, who, &placed));
        let answer = self.client.persist(&request).await;
        if answer.status == 200 {
            self.client.history().cancelled.push(placed.id.clone());
        }
    }

    async fn send(&self, order: usize, to: OrderStatus, who: Shopper) {
        let Some(placed) = self.order(order) else { return };
        let path = format!("/orders/{}/status", placed.id);
        let body = match to {
            OrderStatus::Shipped => json!({ "status": to, "tracking_number": format!("number-{order}") }),
            _ => json!({ "status": to }),
        };
        let answer = self.client.persist(&Request::new(who, Method::PATCH, &path).body(&body)).await;
        if answer.status == 200 {
            self.client.history().sent.push((placed.id.clone(), to));
        }
    }

    /// What somebody shows to have an order that an operation placed: its token, if it was they who placed it.
    fn proof<'p>(&self, order: usize, who: Shopper, placed: &'p Placed) -> Vec<(&'static str, &'p str)> {
        let token = placed.token.as_deref().filter(|_| self.plan.operations[order].who == who);
        token.map(|token| ("order-token", token)).into_iter().collect()
    }

    async fn adjust(&self, product: usize, change: &Value, key: Option<&str>, again: bool) {
        let path = format!("/products/{}/stock", self.ware(product).id);
        let request = Request::new(Shopper::Administrator, Method::PATCH, &path).body(change).key(key);
        let answer =
            if again { self.client.persist(&request).await } else { self.client.send(&request).await };
        if answer.status == 200
            && let (Some(level), Some(version)) =
                (answer.body["stock"].as_u64(), answer.body["version"].as_u64())
        {
            self.client.history().levels.push((self.ware(product).id.clone(), level, version));
        }
    }

    async fn look(&self, look: Look, who: Shopper) {
        let placed = match look {
            Look::Order(order) => self.order(order),
            _ => None,
        };
        let (path, thing) = match look {
            Look::Order(_) => match &placed {
                Some(placed) => (format!("/orders/{}", placed.id), Some(Thing::Order(placed.id.clone()))),
                None => return,
            },
            Look::OwnOrders => return reading::walk_own_orders(&self.client, who).await,
            Look::AllOrders => ("/orders?status=pending".to_owned(), None),
            Look::Me => ("/users/me".to_owned(), self.client.user(who).map(Thing::Account)),
            Look::Statistics(customer) => match self.client.user(Shopper::Customer(customer)) {
                Some(user) => (format!("/users/{user}/stats"), None),
                None => return,
            },
            Look::Product(product) => {
                let id = &self.ware(product).id;
                (format!("/products/{id}"), Some(Thing::Product(id.clone())))
            }
            Look::Catalogue => ("/products".to_owned(), None),
        };
        let mut request = Request::new(who, Method::GET, &path);
        if let (Look::Order(order), Some(placed)) = (look, &placed) {
            request = request.headers(self.proof(order, who, placed));
        }
        let version = || thing.as_ref().and_then(|thing| thing.version(&self.client.model().lock()));
        let may_see_all = administrators::rules(&self.client, who);
        let (before, asked_at) = (version(), self.client.now());
        let answer = self.client.send(&request).await;
        let is_strangers = answer.user.is_none() && matches!(thing, Some(Thing::Product(_)));
        let is_ones_own = match look {
            Look::Order(order) => self.plan.operations[order].who == who,
            _ => true,
        };
        // What is somebody else's is not there. Of those with an account, who it is may have changed since.
        if is_ones_own
            && !matches!((look, who), (Look::Order(_), Shopper::Person(_)))
            && let Some(thing) = &thing
        {
            let shown = (answer.status, &answer.body);
            let wrong = if is_strangers {
                thing.judge_kept(&self.client.model().lock(), asked_at, shown)
            } else {
                thing.judge((before, version()), shown)
            };
            if let Some(wrong) = wrong {
                self.client.report_violation(wrong);
            }
        }
        let strange = match (look, who) {
            _ if may_see_all => None,
            (_, Shopper::Administrator)
            | (Look::Product(_) | Look::Catalogue | Look::Me | Look::OwnOrders, _) => None,
            (Look::Order(_), _) => (!is_ones_own && answer.status == 200).then_some("an order"),
            (Look::AllOrders, _) => (answer.status == 200).then_some("a list of orders"),
            (Look::Statistics(customer), _) => {
                (who != Shopper::Customer(customer) && answer.status == 200).then_some("statistics")
            }
        };
        if let Some(what) = strange {
            let seen = format!("{who:?} saw {what} of somebody else at {path}: {}", answer.body);
            self.client.report_violation(Violation::new("nobody-sees-anothers-data", seen));
        }
    }
}

/// Cents as the API takes an amount.
fn amount(cents: i64) -> Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    // So small a number reads and writes back with the same digits.
    serde_json::from_str(&text).unwrap_or_default()
}

/// What is asked of a level: now and then a threshold comes with it; or one that is not reached and one that is, to
/// and fro, so that the end of being low is on its way with its beginning.
fn levels_of(level: u64) -> Vec<Value> {
    match level % 6 {
        1 => vec![json!({ "stock": level, "low_stock_threshold": level.saturating_sub(2) })],
        3 => {
            vec![json!({ "low_stock_threshold": level + 1000 }), json!({ "low_stock_threshold": level / 3 })]
        }
        _ => vec![json!({ "stock": level })],
    }
}

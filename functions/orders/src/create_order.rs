//! `POST /orders`: one read of the catalogue's prices, one conditional write, and the answer.
//!
//! The write is the order, the record of its idempotency key and the outbox in one. Stock is not looked at
//! here: it is settled behind the answer, by events.
//!
//! A guest may leave an e-mail address. It lies in the order's item: no answer, event or log has it, and it can
//! be erased alone (docs/decisions/0013). A guest gets a token with the order, by which it is read and cancelled.
//!
//! How many orders an account, or a guest's address, may place is counted along (docs/decisions/0021): the counter
//! is read with the prices, and written with the order where its principal has ordered a moment ago.

use crate::view::OrderView;
use shop_auth::{AccountReader, Principal, Role};
use shop_http::{
    Access, Call, Code, Contract, Edge, Endpoint, Problem, Reply, Route, Start, post, request_hash,
};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Function, Random, StartError};
use shop_types::{OrderId, Timestamp};

use crate::budget::{Budget, Counting, Limits, Tally};
use crate::order::{NewOrder, Order};
use crate::order_keys::{OrderKeys, OrderSecret};
use crate::price_list::PriceList;
use crate::pricing::{Catalogue, OrderRequest, price};
use crate::request::{MAX_LINES, read};
use crate::store::{BudgetStore, OrderStore, Placed, Placing};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateOrder>();

pub(crate) struct CreateOrder {
    orders: OrderStore,
    prices: PriceList,
    budgets: BudgetStore,
    limits: Limits,
    tally: Tally,
    accounts: AccountReader,
    secret: OrderSecret,
    edge: Edge,
    clock: Clock,
    random: Random,
}

impl Route for CreateOrder {
    const NAME: &'static str = "create-order";
    const ENDPOINT: Endpoint = post("/orders");
    const ACCESS: Access = Access::Public;
    const ASKS_ACCOUNT: bool = true;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            orders: OrderStore::start(start.environment(), start.client())?,
            prices: PriceList::start(start.environment(), start.client())?,
            budgets: BudgetStore::start(start.environment(), start.client())?,
            limits: Limits::start(start.environment())?,
            tally: Tally::default(),
            accounts: start.accounts()?,
            secret: OrderSecret::start(start)?,
            edge: start.edge()?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    async fn warm_up(&self) {
        // The first function of a new stack makes it; a request tries again where that fails.
        if let Err(error) = self.secret.keys_or_made().await {
            tracing::warn!(error = %Chain(&error), "the orders' keys could not be had at the start");
        }
    }

    fn contract() -> Contract {
        Contract::new("Places an order")
            .body(|input| read(input, &Principal::Guest))
            .created::<OrderView<'_>>("The order; a guest's with its token.")
            .versioned()
            .idempotent()
            .codes([Code::PriceMismatch, Code::UnknownProduct, Code::MixedCurrencies, Code::TooManyOrders])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let request = read(call.body()?, &call.principal)?;
        let key = call.idempotency_key()?;
        let hash = request_hash(&request)?;
        let keys = self.secret.keys_or_made().await?;
        let now = self.clock.now();
        let id = match key {
            Some(key) => keys.id(key.scope(), key.as_str()),
            None => OrderId::fresh(now, self.random.bytes()),
        };
        // Only a guest gets a token, and only from here: a customer's order needs none.
        let token = call.principal.user_id().is_none().then(|| keys.token(&id));
        let budget = self.budget(&call, keys, now);
        let (catalogue, counted) = self.look(&call, &request, &budget).await?;
        // Administrators have none, by what their account says now.
        let budget = if call.is_admin().await? { None } else { Some(budget) };
        // A replay is answered even when the catalogue has changed since, or the budget is used up.
        let refuse = async |problem: Problem, token| match key {
            Some(_) => match self.orders.placed_before(&id, &hash, request.email.as_ref()).await? {
                Some(placed) => answer(placed, None, token),
                None => Err(problem),
            },
            None => Err(problem),
        };
        if let Some(budget) = budget.as_ref().filter(|budget| counted >= Some(budget.limit)) {
            return refuse(too_many(budget), token).await;
        }
        let (lines, total) = match price(&request, &catalogue) {
            Ok(priced) => priced,
            Err(problem) => return refuse(problem, token).await,
        };
        let counting = match &budget {
            Some(budget) => match self.tally.next(budget, counted) {
                Some(counting) => Some((budget, counting)),
                None => return refuse(too_many(budget), token).await,
            },
            None => None,
        };
        let customer_id = call.principal.user_id().cloned();
        let order = NewOrder { id: id.clone(), customer_id, lines, total, cause: call.cause() };
        let order = Order::place(order, now);
        let placing = Placing {
            order: &order,
            request_hash: &hash,
            contact_email: request.email.as_ref(),
            write_id: &self.random.unique(),
        };
        let placed = match counting {
            Some((budget, Counting::Now(count))) => {
                let counts = self.budgets.add(budget, count);
                let Some(placed) = self.orders.place_counted(&placing, counts).await? else {
                    self.tally.used_up(budget);
                    return Err(too_many(budget));
                };
                placed
            }
            Some((_, Counting::Later)) | None => self.orders.place(&placing).await?,
        };
        if let Some((budget, counting)) = counting {
            self.tally.done(budget, counting, matches!(placed, Placed::New));
        }
        answer(placed, Some(order), token)
    }
}

impl CreateOrder {
    /// The budget that an order counts in.
    fn budget(&self, call: &Call, keys: &OrderKeys, now: Timestamp) -> Budget {
        match &call.principal {
            Principal::User { id, .. } => Budget::of("account", id.as_str(), self.limits.account, now),
            Principal::Guest => {
                // The gateway always says where a request came from; who invokes the function otherwise shares one.
                let address = call.source_address(&self.edge).map(|address| keys.address(address));
                let whose = address.as_deref().unwrap_or("unknown");
                Budget::of("address", whose, self.limits.address, now)
            }
        }
    }

    /// The catalogue's prices, the standing of who claims to be an administrator, and how many orders are counted in
    /// the budget: in one call, as far as there is room. An order of 100 lines leaves none; it is counted as it is
    /// written.
    async fn look(
        &self,
        call: &Call,
        request: &OrderRequest,
        budget: &Budget,
    ) -> Result<(Catalogue, Option<u32>), Problem> {
        let mut also = Vec::new();
        let mut room = MAX_LINES - request.items.len();
        let mut asks_account = false;
        if let Principal::User { id, role: Role::Admin } = &call.principal {
            let wanted = self.accounts.wanted(id, call.session.as_ref());
            if wanted.len() <= room {
                room -= wanted.len();
                asks_account = true;
                also = wanted;
            }
        }
        if room > 0 {
            also.push(self.budgets.wanted(budget));
        }
        let products = request.items.iter().map(|line| &line.product_id);
        let (catalogue, mut found) = self.prices.prices(products, also).await?;
        if asks_account {
            call.learn(self.accounts.found(&mut found, call.session.as_ref())?);
        }
        let counted = (room > 0).then(|| self.budgets.counted(&mut found)).transpose()?;
        Ok((catalogue, counted))
    }
}

/// 429, until the window ends.
fn too_many(budget: &Budget) -> Problem {
    Problem::too_many_requests(
        Code::TooManyOrders,
        "So many orders are enough for now. Please try again later.",
        budget.retry_after(),
    )
}

fn answer(placed: Placed, new: Option<Order>, token: Option<String>) -> Result<Reply, Problem> {
    let created = |order: &Order| {
        let view = order.view()?.with_token(token);
        Reply::created(&format!("/orders/{}", order.id), &view)?.versioned(order.version)
    };
    match (placed, new) {
        (Placed::New, Some(order)) => created(&order),
        (Placed::Before(order), _) => Ok(created(&order)?.replayed()),
        (Placed::KeyReused, _) | (Placed::New, None) => Err(Problem::idempotency_key_reused()),
    }
}

//! `POST /orders`: one read of the catalogue's prices, one conditional write, and the answer.
//!
//! The write is the order, the record of its idempotency key and the outbox in one. Stock is not looked at
//! here: it is settled behind the answer, by events.
//!
//! A guest may leave an e-mail address. It lies in the order's item and nowhere else: no answer, event or log
//! has it, and it can be erased alone (docs/decisions/0013).

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::Client;
use data_encoding::BASE64URL_NOPAD;
use shop_auth::Principal;
use shop_http::{Access, Call, Input, Node, Problem, Reply, Route};
use shop_lambda::{Clock, Function, Random};
use shop_types::{AmountError, Currency, EmailAddress, OrderId, ProductId};

use crate::order::{NewOrder, Order};
use crate::price_list::PriceList;
use crate::pricing::{LineRequest, OrderRequest, invalid_amount, price};
use crate::store::{OrderStore, Placed};

/// Most lines of an order: one `BatchGetItem` reads as many prices.
const MAX_LINES: usize = 100;
const MAX_QUANTITY: u32 = 1000;

/// The Lambda function.
pub const FUNCTION: Function = Function::new(CreateOrder::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let route = CreateOrder {
            orders: OrderStore::new(client.clone(), environment.required("ORDERS_TABLE")?),
            prices: PriceList::new(client.clone(), environment.required("PRODUCTS_TABLE")?),
            clock: environment.clock(),
            random: environment.random(),
        };
        shop_http::start(route, &environment, &client).await
    })
});

struct CreateOrder {
    orders: OrderStore,
    prices: PriceList,
    clock: Clock,
    random: Random,
}

impl Route for CreateOrder {
    const NAME: &'static str = "create-order";
    const ACCESS: Access = Access::Public;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let request = read(call.body()?, &call.principal)?;
        let key = call.idempotency_key()?;
        let hash = request_hash(&request)?;
        let now = self.clock.now();
        let id = match key {
            Some(key) => OrderId::derived(scope(&call.principal), key),
            None => OrderId::fresh(now, self.random.bytes()),
        };
        let catalogue = self.prices.prices(request.items.iter().map(|line| &line.product_id)).await?;
        let (lines, total) = match price(&request, &catalogue) {
            Ok(priced) => priced,
            // A replay is answered even when the catalogue has changed since.
            Err(problem) if key.is_some() => {
                return match self.orders.placed_before(&id, &hash, request.email.as_ref()).await? {
                    Some(placed) => answer(placed, None),
                    None => Err(problem),
                };
            }
            Err(problem) => return Err(problem),
        };
        let customer_id = call.principal.user_id().cloned();
        let order = Order::place(NewOrder { id, customer_id, lines, total, cause: call.cause() }, now);
        let placed = self.orders.place(&order, &hash, request.email).await?;
        answer(placed, Some(order))
    }
}

/// Whose idempotency keys are one namespace. A user's id cannot be "guest".
fn scope(principal: &Principal) -> &str {
    principal.user_id().map_or("guest", |id| id.as_str())
}

fn answer(placed: Placed, new: Option<Order>) -> Result<Reply, Problem> {
    let created = |order: &Order| {
        Reply::created(&format!("/orders/{}", order.id), &order.view()?)?.versioned(order.version)
    };
    match (placed, new) {
        (Placed::New, Some(order)) => created(&order),
        (Placed::Before(order), _) => Ok(created(&order)?.replayed()),
        (Placed::KeyReused, _) | (Placed::New, None) => Err(Problem::unprocessable(
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Use a new key for a new order.",
        )),
    }
}

/// What tells the same request from another: its meaning, whatever its white space and order of fields.
fn request_hash(request: &OrderRequest) -> Result<String, Problem> {
    let canonical = serde_json::to_vec(request)?;
    Ok(BASE64URL_NOPAD.encode(&digest(&SHA256, &canonical).as_ref()[..16]))
}

fn read(input: Input<'_>, principal: &Principal) -> Result<OrderRequest, Problem> {
    input.read_object(|body| {
        let mut seen = BTreeSet::new();
        let items =
            body.required("items", |items| items.array(1..=MAX_LINES, |node| read_line(node, &mut seen)));
        let total_amount = body.optional("total_amount", amount);
        let currency = body.optional("currency", |node| {
            node.parsed::<Currency>("unknown_currency", "This must be an ISO 4217 code, such as USD.")
        });
        let email = body.optional("email", |node| email(node, principal));
        Some(OrderRequest { items: items?, total_amount: total_amount?, currency: currency?, email: email? })
    })
}

/// A guest's address. A user's is in the account, and two would only disagree.
fn email(node: &Node<'_>, principal: &Principal) -> Option<EmailAddress> {
    if principal.user_id().is_some() {
        node.note("not_for_users", "Your account has your e-mail address; only guests give one.");
        return None;
    }
    node.parsed("invalid_email", "This must be an e-mail address in ASCII, such as ada@example.com.")
}

fn read_line(node: &Node<'_>, seen: &mut BTreeSet<ProductId>) -> Option<LineRequest> {
    node.object(|line| {
        let product_id = line.required("product_id", |node| {
            let id: ProductId = node.parsed("invalid_id", "This must be a product's id.")?;
            if !seen.insert(id.clone()) {
                node.note(
                    "duplicate_product",
                    "Another line has this product; add up the quantities in one line.",
                );
                return None;
            }
            Some(id)
        });
        let quantity = line.required("quantity", |node| node.integer(1..=MAX_QUANTITY));
        let price = line.optional("price", amount);
        Some(LineRequest { product_id: product_id?, quantity: quantity?, price: price? })
    })
}

/// The digits of an amount that is not negative. Its currency is known only with the catalogue's prices, so
/// whether it has too many digits or is too large is for `pricing` to say.
fn amount(node: &Node<'_>) -> Option<String> {
    let text = node.number()?;
    if text.starts_with('-') {
        node.note("out_of_range", "This must not be negative.");
        return None;
    }
    match Currency::USD.parse_amount(text) {
        Ok(_) | Err(AmountError::TooManyDigits(_) | AmountError::TooLarge) => Some(text.to_owned()),
        Err(reason) => {
            let error = invalid_amount(String::new(), reason);
            node.note(error.code, error.detail);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(body: &str) -> Vec<(String, &'static str)> {
        let problem = read(Input::parse(body.as_bytes()).unwrap(), &Principal::Guest).unwrap_err();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code)).collect()
    }

    fn hash(body: &str) -> String {
        request_hash(&read(Input::parse(body.as_bytes()).unwrap(), &Principal::Guest).unwrap()).unwrap()
    }

    #[test]
    fn the_first_order_of_the_readme_is_read() {
        let body =
            br#"{"items": [{"product_id": "prod-1", "quantity": 2, "price": 29.99}], "total_amount": 59.98}"#;
        let request = read(Input::parse(body).unwrap(), &Principal::Guest).unwrap();
        assert_eq!(request.items[0].quantity, 2);
        assert_eq!(request.items[0].price.as_deref(), Some("29.99"));
        assert_eq!(request.total_amount.as_deref(), Some("59.98"));
    }

    #[test]
    fn every_mistake_of_every_line_is_told() {
        let body = r#"{"items": [
            {"product_id": "a", "quantity": 0, "price": -1},
            {"product_id": "a", "quantity": 1001},
            {"product_id": "../x", "quantity": "2", "price": "3"},
            {"quantity": 1.5, "price": 1e3, "size": "L"},
            7
        ], "total_amount": 1.23456, "currency": "usd", "note": null}"#;
        let expected = [
            ("/items/0/quantity", "out_of_range"),
            ("/items/0/price", "out_of_range"),
            ("/items/1/product_id", "duplicate_product"),
            ("/items/1/quantity", "out_of_range"),
            ("/items/2/product_id", "invalid_id"),
            ("/items/2/quantity", "wrong_type"),
            ("/items/2/price", "wrong_type"),
            ("/items/3/product_id", "missing"),
            ("/items/3/quantity", "wrong_type"),
            ("/items/3/price", "not_a_decimal"),
            ("/items/3/size", "unexpected"),
            ("/items/4", "wrong_type"),
            ("/currency", "unknown_currency"),
            ("/note", "unexpected"),
        ];
        assert_eq!(mistakes(body), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn an_order_has_1_to_100_lines() {
        assert_eq!(mistakes(r#"{"items": []}"#), [("/items".to_owned(), "wrong_length")]);
        let line = |n: usize| format!(r#"{{"product_id": "p{n}", "quantity": 1}}"#);
        let order =
            |n: usize| format!(r#"{{"items": [{}]}}"#, (0..n).map(line).collect::<Vec<_>>().join(","));
        assert_eq!(mistakes(&order(101)), [("/items".to_owned(), "wrong_length")]);
        assert_eq!(
            read(Input::parse(order(100).as_bytes()).unwrap(), &Principal::Guest).unwrap().items.len(),
            100
        );
    }

    #[test]
    fn only_a_guest_gives_an_address_and_no_hash_has_it() {
        let body = r#"{"items": [{"product_id": "a", "quantity": 1}], "email": "Ada@example.com"}"#;
        let guest = read(Input::parse(body.as_bytes()).unwrap(), &Principal::Guest).unwrap();
        assert_eq!(guest.email.as_ref().unwrap().as_str(), "Ada@example.com");
        assert_eq!(hash(body), hash(r#"{"items": [{"product_id": "a", "quantity": 1}]}"#));
        assert_eq!(mistakes(&body.replace('@', " at ")), [("/email".to_owned(), "invalid_email")]);
        let id = shop_types::UserId::fresh(shop_types::Timestamp::from_millis(1), [1; 10]);
        let user = Principal::User { id, role: shop_auth::Role::Customer };
        let problem = read(Input::parse(body.as_bytes()).unwrap(), &user).unwrap_err();
        assert_eq!(problem.errors()[0].code, "not_for_users");
    }

    #[test]
    fn a_request_is_the_same_whatever_its_layout() {
        let first = hash(r#"{"items": [{"product_id": "a", "quantity": 1}], "total_amount": 1.00}"#);
        assert_eq!(first, hash(r#"{"total_amount":1.00,"items":[{"quantity":1,"product_id":"a"}]}"#));
        assert_ne!(first, hash(r#"{"items": [{"product_id": "a", "quantity": 2}], "total_amount": 1.00}"#));
        assert_ne!(first, hash(r#"{"items": [{"product_id": "a", "quantity": 1}]}"#));
    }
}

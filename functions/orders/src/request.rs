//! The body of `POST /orders`: what is allowed, every error by name, and what makes two requests the same.

use std::collections::BTreeSet;

use shop_auth::Principal;
use shop_http::{FieldCode, Input, Keyword, Node, Problem};
use shop_types::{AmountError, Currency, EmailAddress, ProductId};

use crate::pricing::{LineRequest, OrderRequest, invalid_amount};

/// Most lines of an order: one `BatchGetItem` reads as many prices.
pub(crate) const MAX_LINES: usize = 100;
const MAX_QUANTITY: u32 = 1000;
/// A guest has less to lose, and can take less: what is set aside for an order that nobody means is set aside for
/// good (docs/decisions/0022).
const MAX_GUEST_QUANTITY: u32 = 100;

/// Reads the body of `POST /orders`.
pub(crate) fn read(input: Input<'_>, principal: &Principal) -> Result<OrderRequest, Problem> {
    let most = if principal.user_id().is_some() { MAX_QUANTITY } else { MAX_GUEST_QUANTITY };
    input.read_object(|body| {
        let mut seen = BTreeSet::new();
        let items = body
            .required("items", |items| items.array(1..=MAX_LINES, |node| read_line(node, most, &mut seen)));
        let total_amount = body.optional("total_amount", amount);
        let currency = body.optional("currency", |node| {
            node.parsed::<Currency>(FieldCode::InvalidCurrency, "This must be an ISO 4217 code, such as USD.")
        });
        let email = body.optional("email", |node| email(node, principal));
        Some(OrderRequest { items: items?, total_amount: total_amount?, currency: currency?, email: email? })
    })
}

/// A guest's address. A user's is in the account, and two would only disagree.
fn email(node: &Node<'_>, principal: &Principal) -> Option<EmailAddress> {
    if principal.user_id().is_some() {
        node.error(FieldCode::NotForUsers, "Your account has your e-mail address; only guests give one.");
        return None;
    }
    node.parsed(FieldCode::InvalidEmail, "This must be an e-mail address in ASCII, such as ada@example.com.")
}

fn read_line(node: &Node<'_>, most: u32, seen: &mut BTreeSet<ProductId>) -> Option<LineRequest> {
    node.object(|line| {
        let product_id = line.required("product_id", |node| {
            let id: ProductId = node.parsed(FieldCode::InvalidId, "This must be a product's id.")?;
            if !seen.insert(id.clone()) {
                node.error(
                    FieldCode::DuplicateProduct,
                    "Another line has this product; add up the quantities in one line.",
                );
                return None;
            }
            Some(id)
        });
        let quantity = line.required("quantity", |node| {
            let quantity = node.integer(1..=most);
            // A contract is for everybody.
            node.describe(Keyword::Range(&1, &MAX_QUANTITY));
            quantity
        });
        let price = line.optional("price", amount);
        Some(LineRequest { product_id: product_id?, quantity: quantity?, price: price? })
    })
}

/// The digits of an amount that is not negative. Its currency is known only with the catalogue's prices, so
/// whether it has too many digits or is too large is for `pricing` to say.
fn amount(node: &Node<'_>) -> Option<String> {
    let text = node.number()?;
    node.describe(Keyword::AtLeast(0));
    // -0 is 0 (JSON Schema compares numbers, as everybody does).
    let (is_negative, text) =
        text.strip_prefix('-').map_or((false, text), |digits| (is_nonzero(digits), digits));
    if is_negative {
        node.error(FieldCode::OutOfRange, "This must not be negative.");
        return None;
    }
    match Currency::USD.parse_amount(text) {
        Ok(_) | Err(AmountError::TooManyDigits(_) | AmountError::TooLarge) => Some(canonical(text)),
        Err(reason) => {
            let error = invalid_amount(String::new(), reason);
            node.error(error.code, error.detail);
            None
        }
    }
}

/// Whether a JSON number is another than 0, whatever its exponent.
fn is_nonzero(number: &str) -> bool {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

/// The amount without the zeros at its end that say nothing.
fn canonical(amount: &str) -> String {
    let shorter = || amount.trim_end_matches('0').trim_end_matches('.');
    if amount.contains('.') { shorter() } else { amount }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_http::request_hash;

    fn errors(body: &str) -> Vec<(String, &'static str)> {
        let problem = read(Input::parse(body.as_bytes()).unwrap(), &Principal::Guest).unwrap_err();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code.as_str())).collect()
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
    fn every_error_of_every_line_is_reported() {
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
            ("/currency", "invalid_currency"),
            ("/note", "unexpected"),
        ];
        assert_eq!(errors(body), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn minus_nothing_is_nothing_and_less_is_refused() {
        let body = |price: &str, total: &str| {
            format!(
                r#"{{"items": [{{"product_id": "a", "quantity": 1, "price": {price}}}], "total_amount": {total}}}"#
            )
        };
        let nothing = hash(&body("0", "0"));
        for zero in ["-0", "-0.0", "0.00", "-0.00"] {
            assert_eq!(hash(&body(zero, zero)), nothing, "{zero}");
        }
        for (less, code) in [
            ("-1", "out_of_range"),
            ("-0.01", "out_of_range"),
            ("-1e2", "out_of_range"),
            ("-0e2", "not_a_decimal"),
        ] {
            let expected = ["/items/0/price", "/total_amount"].map(|pointer| (pointer.to_owned(), code));
            assert_eq!(errors(&body(less, less)), expected, "{less}");
        }
    }

    #[test]
    fn a_guest_has_at_most_100_of_a_product_and_a_user_1000() {
        let id = shop_types::UserId::fresh(shop_types::Timestamp::from_millis(1), [1; 10]);
        let user = Principal::User { id, role: shop_auth::Role::Customer };
        for (who, quantity, is_taken) in [
            (&Principal::Guest, 100, true),
            (&Principal::Guest, 101, false),
            (&user, 101, true),
            (&user, 1000, true),
            (&user, 1001, false),
        ] {
            let body = format!(r#"{{"items": [{{"product_id": "a", "quantity": {quantity}}}]}}"#);
            let read = read(Input::parse(body.as_bytes()).unwrap(), who);
            assert_eq!(read.is_ok(), is_taken, "{quantity}");
            let errors = read.err().map(|problem| problem.errors()[0].clone());
            let expected = (!is_taken).then_some(("/items/0/quantity", "out_of_range"));
            assert_eq!(errors.as_ref().map(|error| (error.pointer.as_str(), error.code.as_str())), expected);
        }
    }

    #[test]
    fn an_order_has_1_to_100_lines() {
        assert_eq!(errors(r#"{"items": []}"#), [("/items".to_owned(), "wrong_length")]);
        let line = |n: usize| format!(r#"{{"product_id": "p{n}", "quantity": 1}}"#);
        let order =
            |n: usize| format!(r#"{{"items": [{}]}}"#, (0..n).map(line).collect::<Vec<_>>().join(","));
        assert_eq!(errors(&order(101)), [("/items".to_owned(), "wrong_length")]);
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
        assert_eq!(errors(&body.replace('@', " at ")), [("/email".to_owned(), "invalid_email")]);
        let id = shop_types::UserId::fresh(shop_types::Timestamp::from_millis(1), [1; 10]);
        let user = Principal::User { id, role: shop_auth::Role::Customer };
        let problem = read(Input::parse(body.as_bytes()).unwrap(), &user).unwrap_err();
        assert_eq!(problem.errors()[0].code.as_str(), "not_for_users");
    }

    #[test]
    fn what_makes_two_requests_the_same() {
        let line = r#"{"product_id": "a", "quantity": 1, "price": 1.5}"#;
        let first = format!(r#"{{"items": [{line}], "total_amount": 1.50, "currency": "USD"}}"#);
        let two = format!(r#"{{"items": [{line}, {{"product_id": "b", "quantity": 1}}]}}"#);
        let swapped = format!(r#"{{"items": [{{"product_id": "b", "quantity": 1}}, {line}]}}"#);
        for (other, is_same) in [
            (first.replace(' ', ""), true),
            (
                first.replace(r#""product_id": "a", "quantity": 1"#, r#""quantity": 1, "product_id": "a""#),
                true,
            ),
            (format!(r#"{{"currency": "USD", "total_amount": 1.5, "items": [{line}]}}"#), true),
            (first.replace("1.50", "1.5"), true),
            (first.replace("1.50", "1.500"), true),
            (first.replace("1.5}", "1.50}"), true),
            (first.replace(r#""a""#, r#""\u0061""#), true),
            (
                format!(r#"{{"email": null, "currency": "USD", "total_amount": 1.5, "items": [{line}]}}"#),
                true,
            ),
            (first.replace(r#""a""#, r#""A""#), false),
            (first.replace(r#""quantity": 1"#, r#""quantity": 2"#), false),
            (first.replace("1.50", "1.51"), false),
            (first.replace("1.50", "15.0"), false),
            (first.replace("1.50", "150"), false),
            (first.replace(", \"price\": 1.5", ""), false),
            (first.replace(", \"total_amount\": 1.50", ""), false),
            (first.replace("USD", "EUR"), false),
            (first.replace(", \"currency\": \"USD\"", ""), false),
            (two.clone(), false),
        ] {
            assert_eq!(hash(&first) == hash(&other), is_same, "{first} and {other}");
        }
        assert_ne!(hash(&two), hash(&swapped), "the order shows its lines as they were sent");
    }
}

//! The fields of a product in a request: what is allowed, and every error by name.

use serde::Serialize;
use shop_http::{FieldCode, Input, Keyword, Node, Object, Problem, request_hash};
use shop_types::{AmountError, Currency, Money, ProductId};

use crate::picture::image_url;
use crate::stock::MAX_STOCK;
use crate::watch::DEFAULT_THRESHOLD;

const MAX_NAME: usize = 200;
const MAX_DESCRIPTION: usize = 5000;
pub(crate) const MAX_CATEGORY: usize = 100;
const WITHDRAWN: &str = "The product's currency was withdrawn, so its price stays.";

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct NewProduct {
    /// The id that the client chose, if it did.
    pub(crate) id: Option<ProductId>,
    /// Its name: 1 to 200 characters.
    pub(crate) name: String,
    /// Its description: at most 5000 characters.
    pub(crate) description: Option<String>,
    /// The price of one: more than nothing.
    pub(crate) price: Money,
    /// Its category: 1 to 100 characters.
    pub(crate) category: Option<String>,
    pub(crate) image_url: Option<String>,
    /// How many are for sale at first.
    pub(crate) stock: u64,
    /// Administrators are told when fewer than this are for sale.
    pub(crate) low_stock_threshold: u64,
}

impl NewProduct {
    /// Reads the body of `POST /products`.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let id = body.optional("id", |node| {
                let shape = "Use 1 to 64 letters, digits, '-', '_' and '.', a letter or digit first.";
                let id: ProductId = node.parsed(FieldCode::InvalidId, shape)?;
                if id.could_be_of_another_kind() {
                    node.error(FieldCode::InvalidId, "This is the id of an order or a user.");
                    return None;
                }
                Some(id)
            });
            let name = body.required("name", name);
            let description = body.optional("description", |node| node.text(0..=MAX_DESCRIPTION));
            let currency = body.optional("currency", currency);
            let price = body.required("price", |node| {
                let Some(currency) = currency else {
                    check_amount(node);
                    return None;
                };
                amount(node, currency.unwrap_or(Currency::USD))
            });
            let category = body.optional("category", category);
            let image_url = body.optional("image_url", image_url);
            let stock = body.optional("stock", |node| node.integer(0..=MAX_STOCK));
            let threshold = body.optional("low_stock_threshold", low_stock_threshold);
            Some(Self {
                id: id?,
                name: name?,
                description: description?,
                price: price?,
                category: category?,
                image_url: image_url?,
                stock: stock?.unwrap_or(0),
                low_stock_threshold: threshold?.unwrap_or(DEFAULT_THRESHOLD),
            })
        })
    }

    /// What tells this request from another. It is of what was understood: `29.990` is `29.99`.
    pub(crate) fn hash(&self) -> Result<String, serde_json::Error> {
        request_hash(self)
    }
}

/// Fields of a product to be changed: `None` leaves a field as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::option_option, reason = "left as it is, taken away, or another one")]
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<Option<String>>,
    /// Another price, in the product's currency.
    pub(crate) price: Option<Money>,
    pub(crate) category: Option<Option<String>>,
    pub(crate) image_url: Option<Option<String>>,
}

impl Changes {
    /// Reads the body of `PATCH /products/{id}`, for a product with prices in `currency`.
    ///
    /// # Errors
    /// 422 with every error, and for a body that changes nothing.
    pub(crate) fn read(input: Input<'_>, currency: Currency) -> Result<Self, Problem> {
        input.read_object(|body| {
            let changes = Self::read_members(body, |node| {
                if !currency.is_in_force() {
                    node.error(FieldCode::InvalidCurrency, WITHDRAWN);
                    return None;
                }
                amount(node, currency)
            });
            let elsewhere = |detail: &'static str| {
                move |node: &Node<'_>| {
                    node.describe(Keyword::Nothing);
                    node.error(FieldCode::Unexpected, detail);
                    None::<()>
                }
            };
            body.nullable("stock", elsewhere("Change it by PATCH /products/{id}/stock."));
            body.nullable("low_stock_threshold", elsewhere("Change it by PATCH /products/{id}/stock."));
            body.nullable("currency", elsewhere("A product's currency stays what it was created with."));
            let changes = changes?;
            if changes == Self::default() {
                body.error(FieldCode::NothingToChange, "Name at least one field to change.");
            }
            Some(changes)
        })
    }

    /// Reads a line of an import, for a product with this price. Such a line may tell all of a product; what a product
    /// keeps from its creation on, it may tell again, and stock is not the line's to change.
    ///
    /// # Errors
    /// 422 with every error.
    pub(crate) fn read_line(input: Input<'_>, price: Money) -> Result<Self, Problem> {
        input.read_object(|body| {
            let changes = Self::read_members(body, |node| {
                let read = amount(node, price.currency)?;
                if !price.currency.is_in_force() && read != price {
                    node.error(FieldCode::InvalidCurrency, WITHDRAWN);
                    return None;
                }
                Some(read)
            });
            let id =
                body.optional("id", |node| node.parsed::<ProductId>(FieldCode::InvalidId, "This is no id."));
            let currency = body.optional("currency", |node| {
                let detail = "A product's currency stays what it was created with.";
                let currency = node.parsed::<Currency>(FieldCode::InvalidCurrency, detail)?;
                if currency != price.currency {
                    node.error(FieldCode::Unexpected, detail);
                    return None;
                }
                Some(currency)
            });
            let stock = body.optional("stock", |node| node.integer(0..=MAX_STOCK));
            let threshold = body.optional("low_stock_threshold", low_stock_threshold);
            let (changes, _, _, _, _) = (changes?, id?, currency?, stock?, threshold?);
            Some(changes)
        })
    }

    /// Reads what can be changed. `price` reads the price, in the product's currency.
    fn read_members<'i>(
        body: &mut Object<'i>,
        price: impl FnOnce(&Node<'i>) -> Option<Money>,
    ) -> Option<Self> {
        let name = body.nullable("name", name);
        let description =
            body.nullable("description", |node| or_null(node, |node| node.text(0..=MAX_DESCRIPTION)));
        let price = body.nullable("price", price);
        let category = body.nullable("category", |node| or_null(node, category));
        let image_url = body.nullable("image_url", |node| or_null(node, image_url));
        Some(Self {
            name: name?,
            description: description?,
            price: price?,
            category: category?,
            image_url: image_url?,
        })
    }
}

#[expect(clippy::option_option, reason = "mistaken, null, and read are three things")]
fn or_null<T>(node: &Node<'_>, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Option<Option<T>> {
    if node.is_null() { Some(None) } else { read(node).map(Some) }
}

/// Fewer than this for sale are low; 0 for never.
pub(crate) fn low_stock_threshold(node: &Node<'_>) -> Option<u64> {
    node.integer(0..=MAX_STOCK)
}

fn name(node: &Node<'_>) -> Option<String> {
    node.line(1..=MAX_NAME)
}

/// A currency for a new price: one that is in force.
fn currency(node: &Node<'_>) -> Option<Currency> {
    let detail = "This must be the ISO 4217 code of a currency in force, such as USD.";
    let currency: Currency = node.parsed(FieldCode::InvalidCurrency, detail)?;
    if currency.is_in_force() {
        return Some(currency);
    }
    node.error(FieldCode::InvalidCurrency, detail);
    None
}

fn category(node: &Node<'_>) -> Option<String> {
    node.line(1..=MAX_CATEGORY)
}

/// A price: more than nothing, and no more digits than the currency has.
fn amount(node: &Node<'_>, currency: Currency) -> Option<Money> {
    node.describe(Keyword::MoreThan(0));
    match currency.parse_amount(node.number()?) {
        Ok(money) if money.minor > 0 => return Some(money),
        Ok(_) => node.error(FieldCode::OutOfRange, "This must be more than 0."),
        Err(error @ AmountError::TooManyDigits(_)) => node.error(FieldCode::TooManyDigits, sentence(error)),
        Err(error @ AmountError::TooLarge) => node.error(FieldCode::OutOfRange, sentence(error)),
        Err(error) => node.error(FieldCode::NotADecimal, sentence(error)),
    }
    None
}

/// Notes what is wrong with a price in any currency, where its own is not known.
fn check_amount(node: &Node<'_>) {
    let Some(text) = node.number() else { return };
    match Currency::USD.parse_amount(text) {
        Err(error @ AmountError::NotADecimal) => node.error(FieldCode::NotADecimal, sentence(error)),
        Ok(money) if money.minor <= 0 => node.error(FieldCode::OutOfRange, "This must be more than 0."),
        _ => {}
    }
}

fn sentence(error: AmountError) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn new_product(body: &Value) -> Result<NewProduct, Vec<(String, &'static str)>> {
        let text = body.to_string();
        NewProduct::read(Input::parse(text.as_bytes()).unwrap()).map_err(|problem| errors(&problem))
    }

    fn changes(body: &str) -> Result<Changes, Vec<(String, &'static str)>> {
        Changes::read(Input::parse(body.as_bytes()).unwrap(), Currency::USD)
            .map_err(|problem| errors(&problem))
    }

    fn errors(problem: &Problem) -> Vec<(String, &'static str)> {
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code.as_str())).collect()
    }

    #[test]
    fn a_product_needs_a_name_and_a_price() {
        let made = new_product(&json!({"name": "Mug", "price": 29.99})).unwrap();
        let expected = NewProduct {
            id: None,
            name: "Mug".into(),
            description: None,
            price: Money { minor: 2999, currency: Currency::USD },
            category: None,
            image_url: None,
            stock: 0,
            low_stock_threshold: 5,
        };
        assert_eq!(made, expected);
        assert_eq!(
            new_product(&json!({})).unwrap_err(),
            [("/name".into(), "missing"), ("/price".into(), "missing")]
        );
    }

    #[test]
    fn the_limits_are_those_that_the_api_names() {
        let with = |field: &str, value: Value| {
            let mut body = json!({"name": "Mug", "price": 1});
            body[field] = value;
            new_product(&body)
        };
        for (field, value) in [
            ("id", json!("prod-123")),
            ("id", json!("ord_mug")),
            ("name", json!("n".repeat(200))),
            ("description", json!("")),
            ("description", json!("ä".repeat(5000))),
            ("description", json!(null)),
            ("price", json!(0.01)),
            ("category", json!("c".repeat(100))),
            ("image_url", json!("https://images.example/a.jpg?w=1#x")),
            ("image_url", json!("/images/a.jpg")),
            ("stock", json!(1_000_000_000)),
            ("low_stock_threshold", json!(0)),
            ("low_stock_threshold", json!(1_000_000_000)),
        ] {
            assert!(with(field, value.clone()).is_ok(), "{field}: {value}");
        }
        for (field, value, code) in [
            ("id", json!("a/b"), "invalid_id"),
            ("id", json!("ord_01jd9c3k7m2q8r5t6v0w1x2y3z"), "invalid_id"),
            ("id", json!("usr_01jd9c3k7m2q8r5t6v0w1x2y3z"), "invalid_id"),
            ("id", json!(7), "wrong_type"),
            ("name", json!("n".repeat(201)), "wrong_length"),
            ("name", json!(""), "wrong_length"),
            ("name", json!("  "), "blank"),
            ("name", json!("a\u{0}"), "control_character"),
            ("description", json!("d".repeat(5001)), "wrong_length"),
            ("price", json!(0), "out_of_range"),
            ("price", json!(-1), "out_of_range"),
            ("price", json!("1"), "wrong_type"),
            ("price", json!(1.001), "too_many_digits"),
            ("price", json!(1e300), "not_a_decimal"),
            ("price", json!(99_999_999_999_999_u64), "out_of_range"),
            ("currency", json!("usd"), "invalid_currency"),
            ("category", json!("c".repeat(101)), "wrong_length"),
            ("currency", json!("HRK"), "invalid_currency"),
            ("currency", json!("BGN"), "invalid_currency"),
            ("currency", json!("CLF"), "invalid_currency"),
            ("currency", json!("XAU"), "invalid_currency"),
            ("image_url", json!("javascript:alert(1)"), "invalid_url"),
            ("image_url", json!("//images.example/a.jpg"), "invalid_url"),
            ("image_url", json!("https://"), "invalid_url"),
            ("image_url", json!("https://shop.example@evil.example/"), "invalid_url"),
            ("image_url", json!("https://a b/"), "invalid_url"),
            ("image_url", json!("https://shop.example:abc/"), "invalid_url"),
            ("image_url", json!("https://shop.example:65536/"), "invalid_url"),
            ("image_url", json!("https://shop.example:secret@shop.example/"), "invalid_url"),
            ("image_url", json!("https://[::1/"), "invalid_url"),
            ("image_url", json!("https://256.256.256.256/"), "invalid_url"),
            ("image_url", json!("https://shop.exa%00mple/"), "invalid_url"),
            ("image_url", json!("https://xn--a/"), "invalid_url"),
            ("image_url", json!("data:image/png;base64,AAAA"), "invalid_url"),
            ("image_url", json!("ftp://shop.example/a.jpg"), "invalid_url"),
            ("image_url", json!("shop.example/a.jpg"), "invalid_url"),
            ("image_url", json!("/\\evil.example/a.jpg"), "invalid_url"),
            ("image_url", json!(format!("https://shop.example/{}", "ä".repeat(1000))), "invalid_url"),
            ("image_url", json!(format!("/{}", "a".repeat(2048))), "wrong_length"),
            ("price", json!(-0.0), "out_of_range"),
            ("stock", json!(-1), "out_of_range"),
            ("stock", json!(1_000_000_001), "out_of_range"),
            ("stock", json!(1.5), "wrong_type"),
            ("low_stock_threshold", json!(-1), "out_of_range"),
            ("colour", json!("blue"), "unexpected"),
        ] {
            assert_eq!(with(field, value.clone()), Err(vec![(format!("/{field}"), code)]), "{value}");
        }
    }

    #[test]
    fn a_withdrawn_currency_keeps_its_price_and_all_else_may_change() {
        let change = |body: &str| {
            let kuna: Currency = "HRK".parse().unwrap();
            Changes::read(Input::parse(body.as_bytes()).unwrap(), kuna).map_err(|problem| errors(&problem))
        };
        assert!(change(r#"{"name": "Mug"}"#).is_ok());
        assert_eq!(change(r#"{"price": 2}"#), Err(vec![("/price".into(), "invalid_currency")]));
    }

    #[test]
    fn stock_and_currency_have_their_places() {
        let text = br#"{"stock": 5, "currency": "EUR"}"#;
        let problem = Changes::read(Input::parse(text).unwrap(), Currency::USD).unwrap_err();
        let details: Vec<_> = problem.errors().iter().map(|error| error.detail.as_str()).collect();
        assert!(
            details[0].contains("PATCH /products/{id}/stock") && details[1].contains("stays"),
            "{details:?}"
        );
    }

    #[test]
    fn a_change_names_something_and_null_takes_away_what_may_be_absent() {
        let expected =
            Changes { description: Some(None), category: Some(Some("a".into())), ..Changes::default() };
        assert_eq!(changes(r#"{"description": null, "category": "a"}"#), Ok(expected));
        assert_eq!(changes("{}"), Err(vec![(String::new(), "nothing_to_change")]));
        assert_eq!(changes(r#"{"name": null}"#), Err(vec![("/name".into(), "wrong_type")]));
        assert_eq!(changes(r#"{"price": null}"#), Err(vec![("/price".into(), "wrong_type")]));
        let wrong = [("/stock".into(), "unexpected"), ("/currency".into(), "unexpected")];
        assert_eq!(changes(r#"{"name": "a", "currency": "USD", "stock": 1}"#), Err(wrong.to_vec()));
    }

    #[test]
    fn the_hash_is_of_what_was_understood() {
        let hash =
            |text: &str| NewProduct::read(Input::parse(text.as_bytes()).unwrap()).unwrap().hash().unwrap();
        assert_eq!(
            hash(r#"{"name": "a", "price": 29.990}"#),
            hash(r#"{"price":29.99,"name":"a","stock":0}"#)
        );
        assert_ne!(hash(r#"{"name": "a", "price": 1}"#), hash(r#"{"name": "a", "price": 1, "stock": 1}"#));
    }

    proptest! {
        #[test]
        fn no_text_is_taken_for_a_picture_that_a_page_could_run(text in "\\PC{0,40}") {
            if let Ok(new) = new_product(&json!({"name": "a", "price": 1, "image_url": text})) {
                let url = new.image_url.unwrap_or_default();
                let is_web = url.starts_with("https://") || url.starts_with("http://");
                prop_assert!(is_web || url.starts_with('/') && !url.starts_with("//"));
                prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}

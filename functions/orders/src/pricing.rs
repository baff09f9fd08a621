//! What an order costs: the catalogue's prices, against which the caller's figures are only checked. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use shop_events::OrderLine;
use shop_http::{Code, Decimal, FieldCode, FieldError, Problem};
use shop_types::{AmountError, Currency, EmailAddress, Money, ProductId};

/// What the catalogue says of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedPrice {
    pub(crate) name: String,
    pub(crate) price: Money,
}

/// What the catalogue says of the products of an order.
pub(crate) type Catalogue = BTreeMap<ProductId, ListedPrice>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LineRequest {
    pub(crate) product_id: ProductId,
    pub(crate) quantity: u32,
    /// The price that the caller expects, without zeros that say nothing: `1.00` and `1.0` are one request.
    pub(crate) price: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OrderRequest {
    /// Its lines, each product once.
    pub(crate) items: Vec<LineRequest>,
    /// The total that the caller expects, in the same way.
    pub(crate) total_amount: Option<String>,
    /// The currency that the caller expects.
    pub(crate) currency: Option<Currency>,
    /// Where to write to a guest. It is no part of the request's hash, from which it could be guessed.
    #[serde(skip)]
    pub(crate) email: Option<EmailAddress>,
}

/// Prices a request by the catalogue.
///
/// # Errors
/// 422 for products that are not in the catalogue, for lines in different currencies, for more digits than
/// the currency has and for sums that would overflow; 409 with the right figures where the caller expected
/// others.
pub(crate) fn price(
    request: &OrderRequest,
    catalogue: &Catalogue,
) -> Result<(Vec<OrderLine>, Money), Problem> {
    let listed = listed_prices(request, catalogue)?;
    let (lines, total) = sum(request, &listed)?;
    let mismatches = mismatches(request, &listed, total)?;
    if mismatches.is_empty() {
        return Ok((lines, total));
    }
    Err(Problem::new(Code::PriceMismatch, "The prices are not those of the catalogue; see `current`.")
        .with_errors(mismatches)
        .with("current", Current::of(&lines, total)))
}

fn listed_prices<'c>(
    request: &OrderRequest,
    catalogue: &'c Catalogue,
) -> Result<Vec<&'c ListedPrice>, Problem> {
    let mut listed = Vec::with_capacity(request.items.len());
    let mut errors = Vec::new();
    for (index, line) in request.items.iter().enumerate() {
        match catalogue.get(&line.product_id) {
            Some(product) => listed.push(product),
            None => errors.push(error(
                format!("/items/{index}/product_id"),
                FieldCode::UnknownProduct,
                "There is no such product.",
            )),
        }
    }
    if !errors.is_empty() {
        let detail = "The catalogue does not have all of these products.";
        return Err(Problem::new(Code::UnknownProduct, detail).with_errors(errors));
    }
    let mixed = listed.windows(2).position(|pair| pair[0].price.currency != pair[1].price.currency);
    match mixed {
        None => Ok(listed),
        Some(before) => {
            let pointer = format!("/items/{}/product_id", before + 1);
            let errors = vec![error(
                pointer,
                FieldCode::MixedCurrencies,
                "It is sold in another currency than the line before.",
            )];
            let detail = "An order is in one currency; place an order for each.";
            Err(Problem::new(Code::MixedCurrencies, detail).with_errors(errors))
        }
    }
}

fn sum(request: &OrderRequest, listed: &[&ListedPrice]) -> Result<(Vec<OrderLine>, Money), Problem> {
    let currency = listed.first().map_or(Currency::USD, |product| product.price.currency);
    let mut total = Money::zero(currency);
    let mut lines = Vec::with_capacity(listed.len());
    for (index, (line, product)) in request.items.iter().zip(listed).enumerate() {
        let added =
            product.price.checked_mul(line.quantity).and_then(|line_total| total.checked_add(line_total));
        total = added.map_err(|_| too_large(format!("/items/{index}/quantity")))?;
        lines.push(OrderLine {
            product_id: line.product_id.clone(),
            name: product.name.clone(),
            quantity: line.quantity,
            unit_price: product.price.minor,
        });
    }
    Ok((lines, total))
}

/// Where the caller's figures are not the catalogue's.
fn mismatches(
    request: &OrderRequest,
    listed: &[&ListedPrice],
    total: Money,
) -> Result<Vec<FieldError>, Problem> {
    let mut mismatches = Vec::new();
    let mut invalid = Vec::new();
    let mut check = |pointer: String, expected: Option<&str>, actual: Money| {
        let Some(text) = expected else { return };
        match actual.currency.parse_amount(text) {
            Ok(amount) if amount == actual => {}
            Ok(_) => {
                let detail = format!("It is {} {}.", actual.decimal(), actual.currency);
                mismatches.push(error(pointer, FieldCode::PriceMismatch, detail));
            }
            Err(reason) => invalid.push(invalid_amount(pointer, reason)),
        }
    };
    for (index, (line, product)) in request.items.iter().zip(listed).enumerate() {
        check(format!("/items/{index}/price"), line.price.as_deref(), product.price);
    }
    check("/total_amount".to_owned(), request.total_amount.as_deref(), total);
    if request.currency.is_some_and(|currency| currency != total.currency) {
        let detail = format!("It is {}.", total.currency);
        mismatches.push(error("/currency".to_owned(), FieldCode::CurrencyMismatch, detail));
    }
    if invalid.is_empty() { Ok(mismatches) } else { Err(Problem::invalid(invalid)) }
}

/// The field error for a text that is no amount.
pub(crate) fn invalid_amount(pointer: String, reason: AmountError) -> FieldError {
    let code = match reason {
        AmountError::NotADecimal => FieldCode::NotADecimal,
        AmountError::TooManyDigits(_) => FieldCode::TooManyDigits,
        AmountError::TooLarge | AmountError::MixedCurrencies => FieldCode::OutOfRange,
    };
    error(pointer, code, format!("Invalid amount: {reason}."))
}

fn too_large(pointer: String) -> Problem {
    Problem::invalid(vec![error(pointer, FieldCode::OutOfRange, "The order's total would be too large.")])
}

fn error(pointer: String, code: FieldCode, detail: impl Into<String>) -> FieldError {
    FieldError { pointer, code, detail: detail.into() }
}

/// The figures that the caller should have sent.
#[derive(Serialize)]
struct Current<'a> {
    items: Vec<CurrentItem<'a>>,
    total_amount: Decimal,
    currency: Currency,
}

#[derive(Serialize)]
struct CurrentItem<'a> {
    product_id: &'a ProductId,
    price: Decimal,
}

impl<'a> Current<'a> {
    fn of(lines: &'a [OrderLine], total: Money) -> Self {
        let price = |minor| Decimal(Money { minor, currency: total.currency });
        let item =
            |line: &'a OrderLine| CurrentItem { product_id: &line.product_id, price: price(line.unit_price) };
        Self {
            items: lines.iter().map(item).collect(),
            total_amount: Decimal(total),
            currency: total.currency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> ProductId {
        text.parse().unwrap()
    }

    fn catalogue() -> BTreeMap<ProductId, ListedPrice> {
        let listed = |minor, code: &str| ListedPrice {
            name: "Thing".into(),
            price: Money { minor, currency: code.parse().unwrap() },
        };
        BTreeMap::from([
            (id("mug"), listed(2999, "USD")),
            (id("tea"), listed(10, "USD")),
            (id("fan"), listed(1200, "JPY")),
            (id("gem"), listed(999_999_999_999, "USD")),
        ])
    }

    fn request(items: &[(&str, u32, Option<&str>)], total: Option<&str>) -> OrderRequest {
        let line = |(product, quantity, price): &(&str, u32, Option<&str>)| LineRequest {
            product_id: id(product),
            quantity: *quantity,
            price: price.map(str::to_owned),
        };
        OrderRequest {
            items: items.iter().map(line).collect(),
            total_amount: total.map(str::to_owned),
            currency: None,
            email: None,
        }
    }

    fn refusal(request: &OrderRequest) -> (u16, &'static str, Vec<String>) {
        let problem = price(request, &catalogue()).unwrap_err();
        let pointers = problem.errors().iter().map(|error| error.pointer.clone()).collect();
        (problem.status().as_u16(), problem.code().as_str(), pointers)
    }

    #[test]
    fn the_catalogue_prices_the_order() {
        let (lines, total) =
            price(&request(&[("mug", 2, Some("29.99")), ("tea", 3, None)], Some("60.28")), &catalogue())
                .unwrap();
        assert_eq!(total, Money { minor: 6028, currency: Currency::USD });
        assert_eq!(lines.iter().map(|line| line.unit_price).collect::<Vec<_>>(), [2999, 10]);
    }

    #[test]
    fn other_figures_are_a_conflict_with_the_right_ones() {
        let wrong = request(&[("mug", 2, Some("19.99")), ("tea", 1, Some("0.10"))], Some("40.08"));
        assert_eq!(
            refusal(&wrong),
            (409, "price_mismatch", vec!["/items/0/price".into(), "/total_amount".into()])
        );
    }

    #[test]
    fn what_cannot_be_priced_is_named() {
        assert_eq!(
            refusal(&request(&[("mug", 1, None), ("cup", 1, None)], None)),
            (422, "unknown_product", vec!["/items/1/product_id".into()])
        );
        assert_eq!(
            refusal(&request(&[("mug", 1, None), ("fan", 1, None)], None)),
            (422, "mixed_currencies", vec!["/items/1/product_id".into()])
        );
        assert_eq!(
            refusal(&request(&[("fan", 1, Some("1200.5"))], None)),
            (422, "invalid_request", vec!["/items/0/price".into()])
        );
        assert_eq!(
            refusal(&request(&[("gem", 1000, None), ("tea", 1000, None)], None)),
            (422, "invalid_request", vec!["/items/1/quantity".into()])
        );
    }

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_lines(mugs in 1_u32..=1000, teas in 1_u32..=1000) {
            let (lines, total) = price(&request(&[("mug", mugs, None), ("tea", teas, None)], None), &catalogue()).unwrap();
            let sum: i64 = lines.iter().map(|line| line.unit_price * i64::from(line.quantity)).sum();
            prop_assert_eq!(total.minor, sum);
        }
    }
}

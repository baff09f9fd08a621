//! `GET /analytics/products`: what was sold most, in at most 31 days. Administrators only.
//!
//! The days are added up when they are asked for: an index that follows each sale would cost more than all else that a
//! sale costs here. Products of which nothing was sold or taken back are not there. Names are the catalogue's.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shop_dynamo::{Read, StoreError};
use shop_http::{Access, Call, Contract, Decimal, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Function, StartError};
use shop_types::{Currency, Money, ProductId};

use crate::figures::Figures;
use crate::period::Errors;
use crate::report::{CSV, Rows, answer};
use crate::store::Store;
use crate::zone::Zone;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetProductSales>();

const MAX_DAYS: i64 = 31;
/// How many days are read at a time.
const CONCURRENCY: usize = 8;

pub(crate) struct GetProductSales {
    store: Store,
    zone: Zone,
    clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Revenue,
    Units,
}

const SORTS: [(&str, Sort); 2] = [("revenue", Sort::Revenue), ("units", Sort::Units)];

/// What was sold most in some days.
#[derive(Debug, Serialize, JsonSchema)]
struct ProductSales {
    /// The first day, in the shop's time zone.
    from: String,
    /// The last day, which is part of it.
    to: String,
    sort: Sort,
    currency: Currency,
    /// The shop's time zone, by its IANA name.
    time_zone: String,
    /// The products of which most is left after cancellations, the first of them first.
    data: Vec<ProductSalesRow>,
}

/// What was sold of a product.
#[derive(Debug, Serialize, JsonSchema)]
struct ProductSalesRow {
    product_id: ProductId,
    /// Of orders that were confirmed.
    units: i64,
    /// Of orders that were cancelled after they were confirmed.
    cancelled_units: i64,
    net_units: i64,
    gross: Decimal,
    cancelled: Decimal,
    net: Decimal,
}

impl Rows for ProductSales {
    const HEADER: &'static str = "product_id,units,cancelled_units,net_units,gross,cancelled,net,currency";

    fn rows(&self) -> Vec<String> {
        let row = |row: &ProductSalesRow| {
            let ProductSalesRow { product_id, units, cancelled_units, net_units, gross, cancelled, net } =
                row;
            let amounts = [gross, cancelled, net].map(|amount| amount.0.decimal()).join(",");
            format!("{product_id},{units},{cancelled_units},{net_units},{amounts},{}", self.currency)
        };
        self.data.iter().map(row).collect()
    }
}

impl Route for GetProductSales {
    const NAME: &'static str = "get-product-sales";
    const ENDPOINT: Endpoint = get("/analytics/products");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["from", "to", "sort", "currency", "limit"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::start(start.environment(), start.client())?,
            zone: Zone::start(start.environment())?,
            clock: start.environment().clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Shows what was sold most, by net revenue or by units (at most 31 days)")
            .query("from", json!({ "type": "string", "format": "date" }))
            .query("to", json!({ "type": "string", "format": "date" }))
            .query(
                "sort",
                json!({ "type": "string", "enum": SORTS.map(|(word, _)| word), "default": "revenue" }),
            )
            .query("currency", json!({ "type": "string", "pattern": "^[A-Z]{3}$", "default": "USD" }))
            .query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 }))
            .ok::<ProductSales>("What was sold most. Figures follow the orders within a minute.")
            .or_text(CSV)
            .cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let mut errors = Errors::default();
        let sort = errors.word(&call, "sort", &SORTS, Sort::Revenue);
        let currency = errors.currency(&call);
        let limit = errors.limit(&call);
        let period = errors.period(&call, &self.zone, &self.clock, MAX_DAYS)?;
        errors.into_result()?;
        let days = period.days().map(|day| self.store.products(currency, day, Read::Eventual));
        let days: Vec<_> = days.collect();
        let mut days = stream::iter(days).buffered(CONCURRENCY);
        let mut products: BTreeMap<ProductId, Figures> = BTreeMap::new();
        while let Some(day) = days.try_next().await? {
            if !day.unreadable.is_empty() {
                return Err(unreadable().into());
            }
            for (product, figures) in day.items {
                let sum = products.entry(product).or_default();
                *sum = sum.checked_add(figures)?;
            }
        }
        let sales = ProductSales {
            from: period.from.to_string(),
            to: period.to.to_string(),
            sort,
            currency,
            time_zone: self.zone.name().to_owned(),
            data: top(products, sort, limit)
                .into_iter()
                .map(|(id, figures)| row(id, &figures, currency))
                .collect(),
        };
        answer(&call, &sales)
    }
}

/// Half a sum would be a wrong one.
fn unreadable() -> StoreError {
    StoreError::Corrupt { kind: "bucket of sales", source: "it is none".into() }
}

/// The first of the products; of those that are equal, by their ids.
fn top(products: BTreeMap<ProductId, Figures>, sort: Sort, limit: usize) -> Vec<(ProductId, Figures)> {
    let mut all: Vec<_> = products.into_iter().filter(|(_, figures)| !figures.is_zero()).collect();
    all.sort_by_key(|(_, figures)| {
        std::cmp::Reverse(match sort {
            Sort::Revenue => figures.net(),
            Sort::Units => figures.net_units(),
        })
    });
    all.truncate(limit);
    all
}

fn row(product_id: ProductId, figures: &Figures, currency: Currency) -> ProductSalesRow {
    let decimal = |minor| Decimal(Money { minor, currency });
    ProductSalesRow {
        product_id,
        units: figures.units,
        cancelled_units: figures.cancelled_units,
        net_units: figures.net_units(),
        gross: decimal(figures.gross),
        cancelled: decimal(figures.cancelled),
        net: decimal(figures.net()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_after_cancellations_decides_and_ids_break_ties() {
        let figures = |units, gross, cancelled_units, cancelled| Figures {
            units,
            gross,
            cancelled_units,
            cancelled,
            ..Figures::default()
        };
        let products = BTreeMap::from([
            ("a".parse().unwrap(), figures(9, 900, 9, 900)),
            ("b".parse().unwrap(), figures(5, 500, 0, 0)),
            ("c".parse().unwrap(), figures(5, 500, 0, 0)),
            ("d".parse().unwrap(), figures(1, 800, 0, 0)),
            ("e".parse().unwrap(), Figures::default()),
        ]);
        let ids = |sort, limit| {
            let top = top(products.clone(), sort, limit);
            top.iter().map(|(id, _)| id.to_string()).collect::<String>()
        };
        assert_eq!((ids(Sort::Revenue, 9), ids(Sort::Units, 9)), ("dbca".into(), "bcda".into()));
        assert_eq!(ids(Sort::Units, 2), "bc");
    }
}

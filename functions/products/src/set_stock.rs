//! `PATCH /products/{id}/stock`: an administrator sets the level (`{"stock": 50}`), or moves it
//! (`{"delta": -3}`), or says below which one to be told (`{"low_stock_threshold": 10}`), or both. What is reserved for
//! orders stays reserved.
//!
//! The new figures are made from those that were read, and written only if nobody changed them in between,
//! so that the answer is what this request did. `If-Match` asks for a version of the counter, which is in
//! each answer of this route. A delta is not safe to send again, so an `Idempotency-Key` is taken: a repeat
//! gets the first answer, for ever.

use schemars::JsonSchema;
use serde::Serialize;
use shop_http::{
    Access, Call, Code, Contract, Endpoint, FieldCode, IdempotencyKey, Input, Keyword, Problem, Reply, Route,
    Start, patch, request_hash,
};
use shop_lambda::{Clock, Function, StartError};
use shop_types::{ProductId, Timestamp};

use crate::fields::low_stock_threshold;
use crate::stock::{Adjustment, AdjustmentError, MAX_STOCK, Stock, StockChange};
use crate::store::{KeyedAdjustment, Kind, Store};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<SetStock>();

pub(crate) struct SetStock {
    store: Store,
    clock: Clock,
}

/// How many of a product there are.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stock")]
pub(crate) struct StockView<'a> {
    product_id: &'a ProductId,
    /// How many are for sale.
    stock: u64,
    reserved: u64,
    version: u64,
    updated_at: Timestamp,
    /// Administrators are told when fewer than this are for sale.
    low_stock_threshold: u64,
}

impl Route for SetStock {
    const NAME: &'static str = "set-stock";
    const ENDPOINT: Endpoint = patch("/products/{id}/stock");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())?, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new(
            "Sets how many of a product are for sale, changes it by a difference, or says when few are low",
        )
        .body(read_change)
        .ok::<StockView<'_>>("The stock as it is now.")
        .versioned()
        .idempotent()
        .conditional()
        .codes([Code::InsufficientStock, Code::TooMuchStock])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: ProductId = call.id("product")?;
        let change = read_change(call.body()?)?;
        let key_hash = call.idempotency_key()?.map(IdempotencyKey::hash);
        let precondition = call.precondition()?;
        // The product is part of the request: one key is one change, of one product.
        let request_hash = request_hash(&(&id, &change))?;
        let mut tries = self.store.tries(Kind::Stock);
        loop {
            if let Some(key_hash) = &key_hash
                && let Some(before) = self.store.adjustment(key_hash).await?
            {
                return repeated(&before, &request_hash);
            }
            let stock = self.store.stock(&id).await?.filter(|stock| stock.deleted_at.is_none());
            let stock = stock.ok_or_else(|| Problem::not_found("product"))?;
            precondition.check(stock.version)?;
            let cause = call.cause();
            let after = stock.changed(change, self.clock.now(), cause);
            let after = after.map_err(|error| refused(error, &stock))?;
            let keyed = key_hash.as_ref().map(|key| KeyedAdjustment::new(key, request_hash.clone(), &after));
            if self.store.adjust(&stock, &after, keyed.as_ref()).await? {
                return answer(&StockView::of(&after));
            }
            tries.pause().await?;
        }
    }
}

impl<'a> StockView<'a> {
    pub(crate) fn of(stock: &'a Stock) -> Self {
        Self {
            product_id: &stock.product_id,
            stock: stock.available,
            reserved: stock.reserved,
            version: stock.version,
            updated_at: stock.updated_at,
            low_stock_threshold: stock.watch().threshold(),
        }
    }
}

pub(crate) fn answer(view: &StockView<'_>) -> Result<Reply, Problem> {
    Reply::ok(view)?.versioned(view.version)
}

fn repeated(before: &KeyedAdjustment, request_hash: &str) -> Result<Reply, Problem> {
    if before.request_hash != request_hash {
        return Err(Problem::idempotency_key_reused());
    }
    let view = StockView {
        product_id: &before.product_id,
        stock: before.available,
        reserved: before.reserved,
        version: before.version,
        updated_at: before.updated_at,
        low_stock_threshold: before.low_stock_threshold,
    };
    Ok(answer(&view)?.replayed())
}

fn refused(error: AdjustmentError, stock: &Stock) -> Problem {
    let problem = match error {
        AdjustmentError::Insufficient => {
            Problem::new(Code::InsufficientStock, "There are not that many for sale.")
        }
        AdjustmentError::TooMany => Problem::new(
            Code::TooMuchStock,
            format!("A product has at most {MAX_STOCK}, with those that are reserved."),
        ),
    };
    problem.with("stock", stock.available).with("reserved", stock.reserved)
}

fn read_change(input: Input<'_>) -> Result<StockChange, Problem> {
    let most = MAX_STOCK.cast_signed();
    input.read_object(|body| {
        // As in the other changes: what cannot be taken away has no null, which would be dropped beside another field.
        let level = body.nullable("stock", |node| node.integer(0..=MAX_STOCK).map(Adjustment::Set));
        let delta = body.nullable("delta", |node| {
            let delta = node.integer(-most..=most)?;
            node.describe(Keyword::OtherThan(0));
            if delta == 0 {
                node.error(FieldCode::OutOfRange, "This must not be 0.");
            }
            Some(Adjustment::Change(delta)).filter(|_| delta != 0)
        });
        let threshold = body.nullable("low_stock_threshold", low_stock_threshold);
        let (level, delta, low_stock_threshold) = (level?, delta?, threshold?);
        let adjustments = [level, delta].iter().flatten().count();
        if adjustments == 1 || adjustments == 0 && low_stock_threshold.is_some() {
            return Some(StockChange { adjustment: level.or(delta), low_stock_threshold });
        }
        body.error(FieldCode::StockOrDelta, "Send either `stock` or `delta`, or a `low_stock_threshold`.");
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Errors = Vec<(String, &'static str)>;

    fn read(body: &str) -> Result<(Option<Adjustment>, Option<u64>), Errors> {
        let change = read_change(Input::parse(body.as_bytes()).unwrap()).map_err(|problem| {
            problem
                .errors()
                .iter()
                .map(|error| (error.pointer.clone(), error.code.as_str()))
                .collect::<Vec<_>>()
        })?;
        Ok((change.adjustment, change.low_stock_threshold))
    }

    #[test]
    fn it_is_either_a_level_or_a_delta() {
        assert_eq!(read(r#"{"stock": 50}"#), Ok((Some(Adjustment::Set(50)), None)));
        for zero in ["0", "-0", "-0.0", "0e5"] {
            assert_eq!(
                read(&format!(r#"{{"stock": {zero}}}"#)),
                Ok((Some(Adjustment::Set(0)), None)),
                "{zero}"
            );
        }
        assert_eq!(read(r#"{"delta": -3}"#), Ok((Some(Adjustment::Change(-3)), None)));
        assert_eq!(read(r#"{"low_stock_threshold": 0}"#), Ok((None, Some(0))));
        let both = r#"{"delta": 2, "low_stock_threshold": 9}"#;
        assert_eq!(read(both), Ok((Some(Adjustment::Change(2)), Some(9))));
        for (body, pointer, code) in [
            ("{}", "", "stock_or_delta"),
            (r#"{"stock": 1, "delta": 1}"#, "", "stock_or_delta"),
            (r#"{"stock": 1, "delta": 1, "low_stock_threshold": 1}"#, "", "stock_or_delta"),
            (r#"{"low_stock_threshold": -1}"#, "/low_stock_threshold", "out_of_range"),
            (r#"{"stock": -1}"#, "/stock", "out_of_range"),
            (r#"{"stock": 1000000001}"#, "/stock", "out_of_range"),
            (r#"{"stock": "1"}"#, "/stock", "wrong_type"),
            (r#"{"delta": 0}"#, "/delta", "out_of_range"),
            (r#"{"delta": -0.0}"#, "/delta", "out_of_range"),
            (r#"{"delta": 1.5}"#, "/delta", "wrong_type"),
            (r#"{"delta": -1000000001}"#, "/delta", "out_of_range"),
            (r#"{"stock": null, "delta": 1}"#, "/stock", "wrong_type"),
            (r#"{"stock": 1, "delta": null}"#, "/delta", "wrong_type"),
            (r#"{"low_stock_threshold": null, "delta": 1}"#, "/low_stock_threshold", "wrong_type"),
            (r#"{"stock": 1, "level": 1}"#, "/level", "unexpected"),
            ("[]", "", "wrong_type"),
        ] {
            assert_eq!(read(body), Err(vec![(pointer.to_owned(), code)]), "{body}");
        }
    }
}

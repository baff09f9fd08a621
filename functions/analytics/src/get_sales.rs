//! `GET /analytics/sales`: what was sold, hour by hour or day by day. Administrators only.
//!
//! A bucket in which nothing was sold is there, with zeros: a day has as many hours as it has, 23 and 25 where the clocks
//! are changed. Figures follow the orders within a minute.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shop_dynamo::Read;
use shop_http::{Access, Call, Contract, Decimal, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Function, StartError};
use shop_types::{Currency, Money, Timestamp};

use crate::figures::{Figures, OutOfRange};
use crate::period::{Errors, Period};
use crate::report::{CSV, Rows, answer};
use crate::store::Store;
use crate::zone::{Hour, Zone};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetSales>();

const MAX_DAYS: i64 = 366;
const MAX_DAYS_BY_HOUR: i64 = 31;

pub(crate) struct GetSales {
    store: Store,
    zone: Zone,
    clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    Day,
    Hour,
}

const BY: [(&str, By); 2] = [("day", By::Day), ("hour", By::Hour)];

/// What was sold in some days.
#[derive(Debug, Serialize, JsonSchema)]
struct Sales {
    /// The first day, in the shop's time zone.
    from: String,
    /// The last day, which is part of it.
    to: String,
    by: By,
    currency: Currency,
    /// The shop's time zone, by its IANA name.
    time_zone: String,
    /// In the order of time, with those in which nothing was sold.
    data: Vec<SalesBucket>,
    total: Totals,
}

/// What was sold in an hour or on a day. An order counts when it was placed, once it is confirmed; and once more when
/// it is cancelled after that.
#[derive(Debug, Serialize, JsonSchema)]
struct SalesBucket {
    /// The day on which it begins, in the shop's time zone.
    date: String,
    /// When it begins.
    start: Timestamp,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Totals {
    /// Orders that were confirmed.
    orders: i64,
    /// Orders that were cancelled after they were confirmed.
    cancelled_orders: i64,
    units: i64,
    cancelled_units: i64,
    /// What the confirmed orders cost.
    gross: Decimal,
    /// What the cancelled ones cost.
    cancelled: Decimal,
    /// The difference. It may be below zero: an order counts when it was placed, its cancellation when that came.
    net: Decimal,
}

impl Totals {
    fn of(figures: &Figures, currency: Currency) -> Self {
        let decimal = |minor| Decimal(Money { minor, currency });
        Self {
            orders: figures.orders,
            cancelled_orders: figures.cancelled_orders,
            units: figures.units,
            cancelled_units: figures.cancelled_units,
            gross: decimal(figures.gross),
            cancelled: decimal(figures.cancelled),
            net: decimal(figures.net()),
        }
    }
}

impl Rows for Sales {
    const HEADER: &'static str =
        "date,start,orders,cancelled_orders,units,cancelled_units,gross,cancelled,net,currency";

    fn rows(&self) -> Vec<String> {
        let row = |bucket: &SalesBucket| {
            let Totals { orders, cancelled_orders, units, cancelled_units, gross, cancelled, net } =
                &bucket.totals;
            let amounts = [gross, cancelled, net].map(|amount| amount.0.decimal()).join(",");
            let SalesBucket { date, start, .. } = bucket;
            let currency = self.currency;
            format!(
                "{date},{start},{orders},{cancelled_orders},{units},{cancelled_units},{amounts},{currency}"
            )
        };
        self.data.iter().map(row).collect()
    }
}

impl Route for GetSales {
    const NAME: &'static str = "get-sales";
    const ENDPOINT: Endpoint = get("/analytics/sales");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["from", "to", "by", "currency"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::start(start.environment(), start.client())?,
            zone: Zone::start(start.environment())?,
            clock: start.environment().clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Shows what was sold, day by day (at most 366 days) or hour by hour (at most 31 days)")
            .query("from", json!({ "type": "string", "format": "date" }))
            .query("to", json!({ "type": "string", "format": "date" }))
            .query("by", json!({ "type": "string", "enum": BY.map(|(word, _)| word), "default": "day" }))
            .query("currency", json!({ "type": "string", "pattern": "^[A-Z]{3}$", "default": "USD" }))
            .ok::<Sales>("What was sold. Figures follow the orders within a minute.")
            .or_text(CSV)
            .cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let mut errors = Errors::default();
        let by = errors.word(&call, "by", &BY, By::Day);
        let currency = errors.currency(&call);
        let max_days = if by == By::Hour { MAX_DAYS_BY_HOUR } else { MAX_DAYS };
        let period = errors.period(&call, &self.zone, &self.clock, max_days)?;
        errors.into_result()?;
        let buckets = match by {
            By::Day => self.days(period, currency).await?,
            By::Hour => self.hours(period, currency).await?,
        };
        let total = Figures::sum(buckets.iter().map(|bucket| bucket.figures))?;
        let shown = buckets.into_iter().map(|Bucket { date, start, figures }| SalesBucket {
            date,
            start,
            totals: Totals::of(&figures, currency),
        });
        let sales = Sales {
            from: period.from.to_string(),
            to: period.to.to_string(),
            by,
            currency,
            time_zone: self.zone.name().to_owned(),
            data: shown.collect(),
            total: Totals::of(&total, currency),
        };
        answer(&call, &sales)
    }
}

struct Bucket {
    date: String,
    start: Timestamp,
    figures: Figures,
}

impl GetSales {
    async fn days(&self, period: Period, currency: Currency) -> Result<Vec<Bucket>, Problem> {
        let found = self.store.days(currency, period.from, period.to, Read::Eventual).await?;
        let mut buckets = Vec::new();
        for day in period.days() {
            let date = day.to_string();
            let figures = found.get(&date).copied().unwrap_or_default();
            // A day that the zone has left out begins when the next one does.
            let is_left_out = self.zone.hours_of(day).map_err(OutOfRange::from)?.is_empty();
            if !is_left_out || !figures.is_zero() {
                let start = self.zone.start_of(day).map_err(OutOfRange::from)?;
                buckets.push(Bucket { date, start, figures });
            }
        }
        Ok(buckets)
    }

    async fn hours(&self, period: Period, currency: Currency) -> Result<Vec<Bucket>, Problem> {
        let mut hours: Vec<(Hour, String)> = Vec::new();
        for day in period.days() {
            let of_day = self.zone.hours_of(day).map_err(OutOfRange::from)?;
            hours.extend(of_day.into_iter().map(|hour| (hour, day.to_string())));
        }
        let found = match (hours.first(), hours.last()) {
            (Some((first, _)), Some((last, _))) => {
                self.store.hours(currency, *first, last.next(), Read::Eventual).await?
            }
            _ => BTreeMap::new(),
        };
        let bucket = |(hour, date): (Hour, String)| Bucket {
            date,
            start: hour.start(),
            figures: found.get(&hour.to_string()).copied().unwrap_or_default(),
        };
        Ok(hours.into_iter().map(bucket).collect())
    }
}

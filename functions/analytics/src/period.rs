//! Which days and which currency a report is about, as its query says.

use jiff::civil::Date;
use shop_http::{Call, FieldCode, FieldError, Problem};
use shop_lambda::Clock;
use shop_types::Currency;

use crate::figures::OutOfRange;
use crate::zone::Zone;

/// The first and the last year that a report may be about: of both, the calendar has the year before and after.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=9998;
/// How many days a report is about that says nothing of it.
pub(crate) const DEFAULT_DAYS: i64 = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Date,
    /// The last day, which is part of it.
    pub(crate) to: Date,
}

impl Period {
    /// Its days.
    pub(crate) fn days(self) -> impl Iterator<Item = Date> {
        self.from.series(jiff::Span::new().days(1)).take_while(move |day| *day <= self.to)
    }

    fn length(self) -> i64 {
        // Of years that a report may be about there are not so many days that this could fail.
        self.from.until(self.to).map_or(i64::MAX, |span| i64::from(span.get_days()) + 1)
    }
}

/// What is wrong with a query, all of it at once.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    pub(crate) fn note(&mut self, name: &str, code: FieldCode, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: format!("?{name}"), code, detail: detail.into() });
    }

    /// # Errors
    /// 400 where there are any.
    pub(crate) fn into_result(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid_query(self.0)) }
    }

    /// A parameter that is one of some words; the first of them where it is not given.
    pub(crate) fn word<T: Copy>(&mut self, call: &Call, name: &str, words: &[(&str, T)], first: T) -> T {
        let Some(text) = call.parameter(name) else { return first };
        words.iter().find(|(word, _)| *word == text).map_or_else(
            || {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                let detail = format!("This must be {}.", known.join(" or "));
                self.note(name, FieldCode::InvalidFilter, detail);
                first
            },
            |(_, value)| *value,
        )
    }

    /// `currency`: the shop's default where it is not given.
    pub(crate) fn currency(&mut self, call: &Call) -> Currency {
        let Some(text) = call.parameter("currency") else { return Currency::USD };
        text.parse().unwrap_or_else(|_| {
            self.note("currency", FieldCode::InvalidCurrency, "This is not an ISO 4217 code of a currency.");
            Currency::USD
        })
    }

    /// `from` and `to`, days of the shop's zone, both part of the report: the last week, today included, where they
    /// are not given.
    ///
    /// # Errors
    /// The clock is beyond the calendar.
    pub(crate) fn period(
        &mut self,
        call: &Call,
        zone: &Zone,
        clock: &Clock,
        max_days: i64,
    ) -> Result<Period, OutOfRange> {
        let mut day = |name: &str| {
            let text = call.parameter(name)?;
            let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
            if day.is_none() {
                self.note(name, FieldCode::InvalidFilter, "This must be a day, as 2026-11-23.");
            } else if !day.is_some_and(|day| YEARS.contains(&day.year())) {
                let detail = format!("This must be a day from {} to {}.", YEARS.start(), YEARS.end());
                self.note(name, FieldCode::OutOfRange, detail);
                return Some(None);
            }
            Some(day)
        };
        let (from, to) = (day("from"), day("to"));
        let back = |day: Date| day.saturating_sub(jiff::Span::new().days(DEFAULT_DAYS - 1));
        let today = zone.date(clock.now())?;
        let last = to.flatten().unwrap_or(today);
        let first = from.flatten().unwrap_or_else(|| back(last));
        let period = Period { from: first, to: last };
        // What is no day is no bound either.
        if from != Some(None) && to != Some(None) {
            if period.to < period.from {
                self.note("from", FieldCode::OutOfRange, format!("This is behind the last day, {last}."));
            } else if period.length() > max_days {
                let detail = format!("From here to {last} are more than {max_days} days.");
                self.note("from", FieldCode::OutOfRange, detail);
            }
        }
        Ok(period)
    }

    /// `limit`, as on every list.
    pub(crate) fn limit(&mut self, call: &Call) -> usize {
        const MOST: usize = 100;
        let Some(text) = call.parameter("limit") else { return 20 };
        let limit = text.parse().ok().filter(|limit: &usize| limit.to_string() == text);
        limit.filter(|limit| (1..=MOST).contains(limit)).unwrap_or_else(|| {
            self.note("limit", FieldCode::OutOfRange, format!("This must be from 1 to {MOST}."));
            20
        })
    }
}

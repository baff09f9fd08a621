//! What is found, in what order, and what else there is of it.
//!
//! How well a product fits follows from it and from what is asked for alone: each word counts by how it was found, and
//! no number of the whole index does. So a product stands where it stood in every version of the index, and a page goes
//! on behind the last one.

use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};
use shop_types::{Currency, Money};
use tantivy::columnar::StrColumn;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EnableScoring, FuzzyTermQuery,
    Occur, Query as TantivyQuery, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, Term};

use super::IndexError;
use super::entry::Shown;
use super::fields::{Fields, fields};
use super::segment::{Dead, Opened};
use super::snapshot::Snapshot;
use super::words::Wanted;

/// What a word counts by how it was found. They are whole numbers, so that sums are exact.
const IN_NAME: f32 = 32.0;
const BEGINS_IN_NAME: f32 = 16.0;
const IN_CATEGORY: f32 = 12.0;
const NEAR_IN_NAME: f32 = 8.0;
const IN_DESCRIPTION: f32 = 4.0;
const BEGINS_NEAR_IN_NAME: f32 = 2.0;
/// How many categories are told of.
const MAX_CATEGORIES: usize = 50;
/// The most digits behind the point that a bound of a price may have: no currency has more.
const BOUND_DIGITS: u32 = 4;

/// In what order products are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// What fits best first.
    #[default]
    Relevance,
    /// The newest first.
    Newest,
    /// By currency, and the cheapest first.
    PriceUp,
    /// By currency, the dearest first, and currencies backwards.
    PriceDown,
}

/// A bound of a price, in whatever currency: in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound(u128);

impl Bound {
    /// A bound as it is written, as `19.99`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let fraction_digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= BOUND_DIGITS)?;
        if !is_number(whole) || !is_number(fraction) || whole.len() > 15 {
            return None;
        }
        let scaled = |text: &str, digits: u32| Some(text.parse::<u128>().ok()? * 10_u128.pow(digits));
        Some(Self(scaled(whole, BOUND_DIGITS)? + scaled(fraction, BOUND_DIGITS - fraction_digits)?))
    }

    fn unit(currency: Currency) -> u128 {
        10_u128.pow(BOUND_DIGITS.saturating_sub(currency.digits()))
    }

    /// The least price in a currency that is not below it, in minor units.
    fn least(self, currency: Currency) -> u64 {
        u64::try_from(self.0.div_ceil(Self::unit(currency))).unwrap_or(u64::MAX)
    }

    /// The highest price in a currency that is not above it, in minor units.
    fn most(self, currency: Currency) -> u64 {
        u64::try_from(self.0 / Self::unit(currency)).unwrap_or(u64::MAX)
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// All of them must be found, and there must be one; without them every product is.
    pub words: Option<Vec<Wanted>>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only with prices in this currency.
    pub currency: Option<Currency>,
    /// No cheaper than this, each in its own currency.
    pub min_price: Option<Bound>,
    /// No dearer than this, each in its own currency.
    pub max_price: Option<Bound>,
    /// Only what is for sale, or what is not.
    pub in_stock: Option<bool>,
    /// In what order.
    pub sort: Sort,
    /// Behind which product.
    pub after: Option<Place>,
    /// How many.
    pub limit: usize,
}

/// Where a product stands in what was found: the same in every version of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(u64, u64, u64);

/// What was found.
#[derive(Debug, Default)]
pub struct Answer {
    /// The products of the page, in order.
    pub hits: Vec<(Place, Shown)>,
    /// Whether more follow.
    pub goes_on: bool,
    /// How many there are in all.
    pub total: u64,
    /// Of which categories there are how many, whichever was asked for; the largest first.
    pub categories: Vec<(String, u64)>,
    /// How many cost how much, whatever was asked for.
    pub prices: Vec<PriceRange>,
}

/// Products whose prices lie close together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceRange {
    /// The lowest price of the range.
    pub from: Money,
    /// The highest price of the range.
    pub to: Money,
    /// How many products.
    pub count: u64,
}

fn query(fields: &Fields, words: Option<&[Wanted]>) -> Box<dyn TantivyQuery> {
    let Some(words) = words else { return Box::new(AllQuery) };
    let all = words.iter().map(|word| (Occur::Must, any(fields, word))).collect();
    Box::new(BooleanQuery::new(all))
}

/// A word in whatever way: the best of them counts.
fn any(fields: &Fields, word: &Wanted) -> Box<dyn TantivyQuery> {
    let term = |field: Field| Term::from_field_text(field, &word.text);
    let exact = |field: Field, score: f32| -> Box<dyn TantivyQuery> {
        let query = TermQuery::new(term(field), IndexRecordOption::Basic);
        Box::new(ConstScoreQuery::new(Box::new(query), score))
    };
    let boosted = |query: FuzzyTermQuery, score: f32| -> Box<dyn TantivyQuery> {
        Box::new(BoostQuery::new(Box::new(query), score))
    };
    let mut ways = vec![
        exact(fields.name, IN_NAME),
        exact(fields.category_words, IN_CATEGORY),
        exact(fields.description, IN_DESCRIPTION),
    ];
    if word.may_be_prefix() {
        ways.push(boosted(FuzzyTermQuery::new_prefix(term(fields.name), 0, true), BEGINS_IN_NAME));
    }
    if word.may_be_wrong() {
        ways.push(boosted(FuzzyTermQuery::new(term(fields.name), 1, true), NEAR_IN_NAME));
    }
    if word.may_be_wrong_prefix() {
        ways.push(boosted(FuzzyTermQuery::new_prefix(term(fields.name), 1, true), BEGINS_NEAR_IN_NAME));
    }
    Box::new(DisjunctionMaxQuery::new(ways))
}

impl Snapshot {
    /// What is found.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find(&self, asked: &Query) -> Result<Answer, IndexError> {
        let opened = || {
            self.segments
                .iter()
                .enumerate()
                .filter_map(|(number, (segment, dead))| Some((number, segment.opened.as_ref()?, dead)))
        };
        let Some((_, first, _)) = opened().next() else { return Ok(Answer::default()) };
        if asked.words.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Answer::default());
        }
        let query = query(&fields().0, asked.words.as_deref());
        let weight = query.weight(EnableScoring::enabled_from_searcher(&first.searcher))?;
        let mut found = Found::new(asked);
        for (number, opened, dead) in opened() {
            let mut of_segment = OfSegment::new(asked, opened)?;
            weight.for_each(opened.reader(), &mut |doc, score| {
                of_segment.take(&mut found, opened, dead, (number, doc), score);
            })?;
            of_segment.end(&mut found, opened)?;
        }
        let segment =
            |number: usize| self.segments.get(number).and_then(|(segment, _)| segment.opened.as_ref());
        found.answer(|(number, doc)| segment(number).ok_or(IndexError::Missing)?.shown(doc))
    }
}

/// What was found in the segments so far.
struct Found<'q> {
    asked: &'q Query,
    /// The first of them, the last of these on top; one more than asked for.
    first: BinaryHeap<(Place, (usize, DocId))>,
    total: u64,
    categories: BTreeMap<String, u64>,
    prices: BTreeMap<(Currency, usize), u64>,
}

/// What is looked up once for a segment.
#[expect(clippy::option_option, reason = "not asked for, asked for and not there, or there")]
struct OfSegment {
    /// Of each currency: its number for sorting, and the prices that are asked for. None where it is not asked for.
    currencies: Vec<Option<(Currency, std::ops::RangeInclusive<u64>)>>,
    /// The category that is asked for: none where the segment has none of it.
    category: Option<Option<u64>>,
    categories: Vec<u64>,
    prices: BTreeMap<(u64, usize), u64>,
}

fn terms(column: Option<&StrColumn>) -> Result<Vec<String>, IndexError> {
    let Some(column) = column else { return Ok(Vec::new()) };
    let mut terms = Vec::new();
    let mut term = String::new();
    let mut number = 0;
    while column.ord_to_str(number, &mut term)? {
        terms.push(std::mem::take(&mut term));
        number += 1;
    }
    Ok(terms)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl OfSegment {
    fn new(asked: &Query, opened: &Opened) -> Result<Self, IndexError> {
        let wanted = |code: String| {
            let currency: Currency = code.parse().ok()?;
            let least = asked.min_price.map_or(0, |bound| bound.least(currency));
            let most = asked.max_price.map_or(u64::MAX, |bound| bound.most(currency));
            asked.currency.is_none_or(|wanted| wanted == currency).then_some((currency, least..=most))
        };
        let currencies = terms(opened.currency.as_ref())?.into_iter().map(wanted).collect();
        let category = match (&asked.category, &opened.category) {
            (None, _) => None,
            (Some(_), None) => Some(None),
            (Some(category), Some(column)) => Some(column.dictionary().term_ord(category)?),
        };
        let categories = opened.category.as_ref().map_or(0, |column| column.num_terms());
        Ok(Self { currencies, category, categories: vec![0; categories], prices: BTreeMap::new() })
    }

    fn take(
        &mut self,
        found: &mut Found<'_>,
        opened: &Opened,
        dead: &Dead,
        (segment, doc): (usize, DocId),
        score: f32,
    ) {
        if dead.has(doc) {
            return;
        }
        let currency = opened.currency.as_ref().and_then(|column| column.ords().first(doc));
        let Some(Some((code, asked_for))) = currency.and_then(|number| self.currencies.get(index(number)))
        else {
            return;
        };
        if found.asked.in_stock.is_some_and(|wanted| opened.in_stock.first(doc) != Some(u64::from(wanted))) {
            return;
        }
        let price = opened.price.first(doc).unwrap_or(0);
        let category = opened.category.as_ref().and_then(|column| column.ords().first(doc));
        let is_of_category = self.category.is_none_or(|wanted| wanted.is_some() && wanted == category);
        let is_of_price = asked_for.contains(&price);
        let code = *code;
        if is_of_price && let Some(count) = category.and_then(|number| self.categories.get_mut(index(number)))
        {
            *count += 1;
        }
        if is_of_category && let Some(currency) = currency {
            *self.prices.entry((currency, step_of(price))).or_default() += 1;
        }
        if is_of_category && is_of_price {
            found.total += 1;
            found.push(place(found.asked.sort, opened, doc, score, (code, price)), (segment, doc));
        }
    }

    fn end(self, found: &mut Found<'_>, opened: &Opened) -> Result<(), IndexError> {
        let mut name = String::new();
        for (number, count) in (0..).zip(self.categories) {
            if let Some(column) = opened.category.as_ref().filter(|_| count > 0)
                && column.ord_to_str(number, &mut name)?
            {
                *found.categories.entry(name.clone()).or_default() += count;
            }
            name.clear();
        }
        for ((currency, step), count) in self.prices {
            if let Some(Some((currency, _))) = self.currencies.get(index(currency)) {
                *found.prices.entry((*currency, step)).or_default() += count;
            }
        }
        Ok(())
    }
}

/// Where a product stands: what is lower comes first.
fn place(sort: Sort, opened: &Opened, doc: DocId, score: f32, (currency, price): (Currency, u64)) -> Place {
    let order = opened.order.first(doc).unwrap_or(0);
    let code = currency.code().bytes().fold(0, |number, byte| number << 8 | u64::from(byte));
    match sort {
        // Of whole numbers above zero, the higher has the higher bits. A shorter name says more of what was found.
        Sort::Relevance => {
            Place(u64::from(u32::MAX - score.to_bits()), opened.length.first(doc).unwrap_or(0), order)
        }
        Sort::Newest => Place(u64::MAX - opened.created.first(doc).unwrap_or(0), 0, order),
        Sort::PriceUp => Place(code, price, order),
        Sort::PriceDown => Place(u64::MAX - code, u64::MAX - price, order),
    }
}

/// The ranges of prices: 1, 2, 5, 10, 20, 50 and so on minor units, each up to the next.
fn step_of(price: u64) -> usize {
    let (mut step, mut from) = (0, 1_u64);
    loop {
        for factor in [1, 2, 5] {
            if price < from.saturating_mul(factor) {
                return step;
            }
            step += 1;
        }
        let Some(next) = from.checked_mul(10) else { return step };
        from = next;
    }
}

/// The lowest price of a range, in minor units.
fn beginning_of(step: usize) -> u64 {
    let Some(step) = step.checked_sub(1) else { return 0 };
    let power = u32::try_from(step / 3).ok().and_then(|power| 10_u64.checked_pow(power)).unwrap_or(u64::MAX);
    power.saturating_mul([1, 2, 5][step % 3])
}

impl<'q> Found<'q> {
    fn new(asked: &'q Query) -> Self {
        let (categories, prices) = (BTreeMap::new(), BTreeMap::new());
        Self { asked, first: BinaryHeap::with_capacity(asked.limit + 2), total: 0, categories, prices }
    }

    fn push(&mut self, place: Place, doc: (usize, DocId)) {
        let is_shown = self.asked.after.is_none_or(|after| place > after);
        let is_full = self.first.len() > self.asked.limit;
        if !is_shown || is_full && self.first.peek().is_some_and(|(last, _)| place > *last) {
            return;
        }
        self.first.push((place, doc));
        if self.first.len() > self.asked.limit + 1 {
            self.first.pop();
        }
    }

    fn answer(
        self,
        shown: impl Fn((usize, DocId)) -> Result<Shown, IndexError>,
    ) -> Result<Answer, IndexError> {
        let mut first = self.first.into_sorted_vec();
        let goes_on = first.len() > self.asked.limit;
        first.truncate(self.asked.limit);
        let hits = first.into_iter().map(|(place, doc)| Ok((place, shown(doc)?)));
        let mut categories: Vec<_> = self.categories.into_iter().collect();
        categories.sort_by(|(one, of_one), (other, of_other)| of_other.cmp(of_one).then(one.cmp(other)));
        categories.truncate(MAX_CATEGORIES);
        let range = |((currency, step), count): ((Currency, usize), u64)| {
            let money = |minor: u64| Money { minor: i64::try_from(minor).unwrap_or(i64::MAX), currency };
            PriceRange { from: money(beginning_of(step)), to: money(beginning_of(step + 1) - 1), count }
        };
        Ok(Answer {
            hits: hits.collect::<Result<_, IndexError>>()?,
            goes_on,
            total: self.total,
            categories,
            prices: self.prices.into_iter().map(range).collect(),
        })
    }
}

#[cfg(test)]
mod tests;

//! What a search is asked for by, and every error by name.

use shop_http::{Call, Cursor, FieldCode, FieldError, MAX_LIMIT, Problem};
use shop_types::{Currency, text};

use crate::index::{Bound, Place, Query, Sort, Wanted};

/// How long what is looked for may be.
pub(crate) const MAX_TEXT: usize = 100;
/// How many words of it count: more only take time.
const MAX_WORDS: usize = 8;
/// How long a category may be: as a product's.
pub(crate) const MAX_CATEGORY: usize = 100;
/// How many products an answer has unless it is said.
const DEFAULT_LIMIT: i32 = 20;
pub(crate) const SORTS: [(&str, Sort); 4] = [
    ("relevance", Sort::Relevance),
    ("newest", Sort::Newest),
    ("price", Sort::PriceUp),
    ("-price", Sort::PriceDown),
];

/// A search.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) query: Query,
    pub(crate) limit: i32,
    /// The search in one spelling, which its cursors are bound to.
    pub(crate) path: String,
}

/// The mistakes of a query, all of them.
#[derive(Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    fn note(&mut self, pointer: &str, code: FieldCode, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.to_owned(), code, detail: detail.into() });
    }

    /// What `q` says, if it is any.
    pub(crate) fn text(&mut self, call: &Call) -> Option<String> {
        let detail = format!("This must be 1 to {MAX_TEXT} characters.");
        self.read(call, "q", &detail, |given| line(given, MAX_TEXT))
    }

    /// What `q` says, which has to be there.
    pub(crate) fn required_text(&mut self, call: &Call) -> Option<String> {
        if call.parameter("q").is_none() {
            self.note("?q", FieldCode::Missing, "Say what to look for.");
        }
        self.text(call)
    }

    fn read<T>(
        &mut self,
        call: &Call,
        name: &str,
        detail: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let given = call.parameter(name)?;
        let value = read(given);
        if value.is_none() {
            self.note(&format!("?{name}"), FieldCode::InvalidFilter, detail);
        }
        value
    }

    fn limit(&mut self, call: &Call) -> i32 {
        let Some(given) = call.parameter("limit") else { return DEFAULT_LIMIT };
        // As it is written in JSON: without a sign and without zeros before it.
        let limit = given.parse().ok().filter(|limit: &i32| limit.to_string() == given);
        limit.filter(|limit| (1..=MAX_LIMIT).contains(limit)).unwrap_or_else(|| {
            self.note("?limit", FieldCode::OutOfRange, format!("This must be from 1 to {MAX_LIMIT}."));
            DEFAULT_LIMIT
        })
    }

    pub(crate) fn into_result(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid_query(self.0)) }
    }
}

/// A text that says something, as names are read.
fn line(given: &str, most: usize) -> Option<String> {
    let line = text::line(given).ok()?;
    (!line.trim().is_empty() && line.chars().count() <= most).then_some(line)
}

/// The words that are looked for with a text.
pub(crate) fn words(text: &str) -> Vec<Wanted> {
    Wanted::of(text, MAX_WORDS)
}

/// Reads a search.
///
/// # Errors
/// 400 with every parameter that is wrong.
pub(crate) fn request(call: &Call) -> Result<Request, Problem> {
    let mut errors = Errors::default();
    let text = errors.text(call);
    // As a product's category is read: what looks the same is the same.
    let category =
        errors.read(call, "category", "This must name a category.", |given| line(given, MAX_CATEGORY));
    let currency: Option<Currency> =
        errors.read(call, "currency", "This must be a currency's code, as USD.", |given| given.parse().ok());
    let bound = "This must be an amount, as 19.99.";
    let min_price = errors.read(call, "min_price", bound, Bound::parse);
    let max_price = errors.read(call, "max_price", bound, Bound::parse);
    let in_stock = errors.read(call, "in_stock", "This must be true or false.", |given| given.parse().ok());
    let sort = errors.read(call, "sort", "This must be relevance, newest, price or -price.", |given| {
        SORTS.iter().find(|(name, _)| *name == given).copied()
    });
    let path = path(call, text.as_deref(), category.as_deref());
    let limit = errors.limit(call);
    let cursor = call.parameter("cursor").filter(|text| !text.is_empty());
    let after: Option<Place> = cursor.and_then(|cursor| {
        let decoded = Cursor::decode(&path, cursor).ok();
        if decoded.is_none() {
            errors.note("?cursor", FieldCode::InvalidCursor, "This is not a cursor of this search.");
        }
        decoded
    });
    errors.into_result()?;
    // What nothing is looked for with fits as well as everything else.
    let sort = match sort.map(|(_, sort)| sort).unwrap_or_default() {
        Sort::Relevance if text.is_none() => Sort::Newest,
        sort => sort,
    };
    let query = Query {
        words: text.as_deref().map(words),
        category,
        currency,
        min_price,
        max_price,
        in_stock,
        sort,
        after,
        limit: usize::try_from(limit).unwrap_or_default(),
    };
    Ok(Request { query, limit, path })
}

fn path(call: &Call, text: Option<&str>, category: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(text.map(|text| ("q", text)));
    query.extend_pairs(category.map(|category| ("category", category)));
    for name in ["currency", "min_price", "max_price", "in_stock"] {
        query.extend_pairs(call.parameter(name).map(|value| (name, value)));
    }
    query.extend_pairs(call.parameter("sort").filter(|sort| *sort != SORTS[0].0).map(|sort| ("sort", sort)));
    format!("/search?{}", query.finish())
}

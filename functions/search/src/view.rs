//! What a search answers.

use schemars::JsonSchema;
use serde::Serialize;
use shop_http::Decimal;
use shop_types::{Currency, ProductId, Timestamp};

use crate::index::{Piece, PriceRange, Shown, Wanted, pieces};

/// A page of what was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SearchResults {
    /// The products, in order.
    pub(crate) data: Vec<FoundProduct>,
    /// The cursor of the next page; `null` on the last one.
    pub(crate) next_cursor: Option<String>,
    /// How many products there are on all pages.
    pub(crate) total: u64,
    pub(crate) facets: Facets,
    /// When the index that was searched was made; `null` where there is none yet.
    pub(crate) indexed_at: Option<Timestamp>,
}

/// What else there is of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Facets {
    /// How many products there are of each category, whichever was asked for; the largest first, 50 at most.
    pub(crate) categories: Vec<CategoryCount>,
    /// How many products cost how much, whatever was asked for.
    pub(crate) prices: Vec<PriceCount>,
}

/// A category, and how many products it has.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CategoryCount {
    category: String,
    count: u64,
}

/// A range of prices, both ends included, and how many products it has.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PriceCount {
    min_price: Decimal,
    max_price: Decimal,
    currency: Currency,
    count: u64,
}

/// A product that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FoundProduct {
    id: ProductId,
    name: String,
    /// The name in pieces, and which of them were looked for. They are text, and no markup.
    highlight: Vec<TextPiece>,
    price: Decimal,
    currency: Currency,
    category: Option<String>,
    image_url: Option<String>,
    in_stock: bool,
    version: u64,
}

/// A piece of a text.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TextPiece {
    text: String,
    /// Whether it was looked for.
    hit: bool,
}

/// What may be meant by what was typed so far.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Suggestions {
    /// Names of products, the best first.
    pub(crate) data: Vec<Suggestion>,
}

/// The name of a product.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Suggestion {
    pub(crate) text: String,
    /// The text in pieces, and which of them were typed. They are text, and no markup.
    highlight: Vec<TextPiece>,
    /// A product with this name.
    product_id: ProductId,
}

fn highlight(text: &str, words: &[Wanted]) -> Vec<TextPiece> {
    let piece = |Piece { text, hit }| TextPiece { text, hit };
    pieces(text, words).into_iter().map(piece).collect()
}

impl FoundProduct {
    pub(crate) fn new(shown: Shown, words: &[Wanted]) -> Self {
        let Shown { id, name, price, category, image_url, in_stock, version, .. } = shown;
        let highlight = highlight(&name, words);
        let (price, currency) = (Decimal(price), price.currency);
        Self { id, name, highlight, price, currency, category, image_url, in_stock, version }
    }
}

impl Facets {
    pub(crate) fn new(categories: Vec<(String, u64)>, prices: Vec<PriceRange>) -> Self {
        let price = |PriceRange { from, to, count }| PriceCount {
            min_price: Decimal(from),
            max_price: Decimal(to),
            currency: from.currency,
            count,
        };
        let category = |(category, count)| CategoryCount { category, count };
        Self {
            categories: categories.into_iter().map(category).collect(),
            prices: prices.into_iter().map(price).collect(),
        }
    }
}

impl Suggestion {
    pub(crate) fn new(shown: Shown, words: &[Wanted]) -> Self {
        let highlight = highlight(&shown.name, words);
        Self { text: shown.name, highlight, product_id: shown.id }
    }
}

//! `GET /search`: products by words, with typing errors and beginnings of words, or without words all of them; filtered,
//! sorted, page by page. Everybody may search.
//!
//! The index is in memory, and S3 is asked once a second whether there is another one. It follows the catalogue within
//! seconds: an answer says when it was made.

use serde_json::json;
use shop_http::{Access, Call, Contract, Cursor, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

use crate::reader::Reader;
use crate::request::{MAX_CATEGORY, MAX_TEXT, SORTS, request};
use crate::view::{Facets, FoundProduct, SearchResults};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<SearchProducts>();

pub(crate) struct SearchProducts {
    reader: Reader,
}

impl Route for SearchProducts {
    const NAME: &'static str = "search-products";
    const ENDPOINT: Endpoint = get("/search");
    const ACCESS: Access = Access::Public;
    const QUERY: &'static [&'static str] =
        &["q", "category", "currency", "min_price", "max_price", "in_stock", "sort", "limit", "cursor"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { reader: Reader::start(start.environment())? })
    }

    async fn warm_up(&self) {
        self.reader.warm_up().await;
    }

    fn contract() -> Contract {
        let amount = json!({ "type": "string", "pattern": "^[0-9]{1,15}(\\.[0-9]{1,4})?$" });
        let sorts = json!({ "type": "string", "enum": SORTS.map(|(name, _)| name), "default": "relevance" });
        Contract::new("Searches the catalogue by words, with typing errors and beginnings of words, or filters all of it")
            .query("q", json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": "\\S" }))
            .query(
                "category",
                json!({ "type": "string", "minLength": 1, "maxLength": MAX_CATEGORY, "pattern": "\\S" }),
            )
            .query("currency", json!({ "type": "string", "pattern": "^[A-Z]{3}$" }))
            .query("min_price", amount.clone())
            .query("max_price", amount)
            .query("in_stock", json!({ "type": "boolean" }))
            .query("sort", sorts)
            .listed::<SearchResults>("What was found. It follows the catalogue within seconds.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let request = request(&call)?;
        let snapshot = self.reader.recent().await?;
        let answer = snapshot.find(&request.query).map_err(crate::reader::ReadError::from)?;
        let last = answer.hits.last().filter(|_| answer.goes_on).map(|(place, _)| *place);
        let next_cursor = last.map(|place| Cursor::encode(&request.path, place)).transpose()?;
        let words = request.query.words.as_deref().unwrap_or_default();
        let results = SearchResults {
            data: answer.hits.into_iter().map(|(_, shown)| FoundProduct::new(shown, words)).collect(),
            next_cursor,
            total: answer.total,
            facets: Facets::new(answer.categories, answer.prices),
            indexed_at: snapshot.made_at(),
        };
        let reply = Reply::ok(&results)?;
        let reply = reply.linked(results.next_cursor.as_deref(), &request.path, request.limit)?;
        Ok(reply.found(&call.principal))
    }
}

//! `GET /search/suggestions`: names of products, as somebody types. Everybody may ask.

use std::collections::BTreeSet;

use serde_json::json;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

use crate::index::Query;
use crate::reader::{ReadError, Reader};
use crate::request::{Errors, MAX_TEXT, words};
use crate::view::{Suggestion, Suggestions};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<SuggestProducts>();

/// How many names are told.
const MOST: usize = 8;
/// Of how many products: some have the same name.
const LOOKED_AT: usize = 40;

pub(crate) struct SuggestProducts {
    reader: Reader,
}

impl Route for SuggestProducts {
    const NAME: &'static str = "suggest-products";
    const ENDPOINT: Endpoint = get("/search/suggestions");
    const ACCESS: Access = Access::Public;
    const QUERY: &'static [&'static str] = &["q"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { reader: Reader::start(start.environment())? })
    }

    async fn warm_up(&self) {
        self.reader.warm_up().await;
    }

    fn contract() -> Contract {
        Contract::new("Suggests names of products for what was typed so far")
            .required_query(
                "q",
                json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": "\\S" }),
            )
            .ok::<Suggestions>("The names, 8 at most.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let mut errors = Errors::default();
        let text = errors.required_text(&call);
        errors.into_result()?;
        let words = words(text.as_deref().unwrap_or_default());
        let snapshot = self.reader.recent().await?;
        let query = Query { words: Some(words.clone()), limit: LOOKED_AT, ..Query::default() };
        let answer = snapshot.find(&query).map_err(ReadError::from)?;
        let mut known = BTreeSet::new();
        let mut suggestions = Suggestions { data: Vec::with_capacity(MOST) };
        for (_, shown) in answer.hits {
            if suggestions.data.len() < MOST && known.insert(shown.name.to_lowercase()) {
                suggestions.data.push(Suggestion::new(shown, &words));
            }
        }
        Ok(Reply::ok(&suggestions)?.found(&call.principal))
    }
}

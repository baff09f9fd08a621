//! `GET /monitor/queues/{id}/dead-letters`: a consumer's dead letters that wait for somebody to decide, the oldest first.
//! Administrators only.

use std::collections::BTreeSet;

use shop_http::{Access, Call, Contract, Cursor, Endpoint, Page, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Function, StartError};

use crate::letter::{ParkedView, Position, places};
use crate::queues;
use crate::redrive::is_word;
use crate::store::Letters;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListDeadLetters>();

pub(crate) struct ListDeadLetters {
    letters: Letters,
    consumers: BTreeSet<String>,
    clock: Clock,
}

impl Route for ListDeadLetters {
    const NAME: &'static str = "list-dead-letters";
    const ENDPOINT: Endpoint = get("/monitor/queues/{id}/dead-letters");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["limit", "cursor"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            letters: Letters::start(start.environment(), start.client())?,
            consumers: queues::consumers(start.environment())?,
            clock: start.clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Lists a consumer's dead letters, the oldest first")
            .page::<ParkedView<'_>>("A page of dead letters.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let consumer = call.id_text();
        if !is_word(&consumer) {
            return Err(Problem::not_found("queue"));
        }
        let list = format!("/monitor/queues/{consumer}/dead-letters");
        let request = call.page::<Position>(&list)?;
        let within = places(&consumer, self.clock.now());
        let page = self.letters.parked(Some(within), request.after.as_ref(), request.limit).await?;
        // A consumer that was removed has none that are kept from now on, and its last ones are to be seen all the same.
        if page.items.is_empty() && request.after.is_none() && !self.consumers.contains(&consumer) {
            return Err(Problem::not_found("queue"));
        }
        let next = page.next(|last| Position { place: last.place.clone(), id: last.id.clone() });
        let next_cursor = next.map(|position| Cursor::encode(&list, position)).transpose()?;
        let data = page.items.iter().map(crate::letter::Parked::view).collect();
        Reply::page(&Page { data, next_cursor }, &list, request.limit)
    }
}

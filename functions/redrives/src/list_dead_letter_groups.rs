//! `GET /monitor/dead-letters`: the dead letters that wait for somebody to decide, in groups: by consumer, and by how
//! they failed. Administrators only.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

use crate::group::Groups;
use crate::letter::Position;
use crate::store::{Letters, PARKED_PAGE};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListDeadLetterGroups>();

/// How many letters are counted at most: reading them takes a second or two.
const MOST: usize = 50_000;

pub(crate) struct ListDeadLetterGroups {
    letters: Letters,
}

impl Route for ListDeadLetterGroups {
    const NAME: &'static str = "list-dead-letter-groups";
    const ENDPOINT: Endpoint = get("/monitor/dead-letters");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { letters: Letters::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows the dead letters in groups: by consumer, and by how they failed")
            .ok::<Groups>("The groups, by their oldest letter.")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.letters.parked(None, after.as_ref(), PARKED_PAGE).await?;
            after = page.next(|last| Position { place: last.place.clone(), id: last.id.clone() });
            found.extend(page.items);
            if after.is_none() || found.len() >= MOST {
                return Reply::ok(&Groups::of(found, after.is_none()));
            }
        }
    }
}

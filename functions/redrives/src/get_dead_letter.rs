//! `GET /monitor/dead-letters/{id}`: a dead letter: what it says, why it failed, what became of it. Administrators only.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::DeadLetterId;

use crate::letter::LetterView;
use crate::store::Letters;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetDeadLetter>();

pub(crate) struct GetDeadLetter {
    letters: Letters,
}

impl Route for GetDeadLetter {
    const NAME: &'static str = "get-dead-letter";
    const ENDPOINT: Endpoint = get("/monitor/dead-letters/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { letters: Letters::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows a dead letter").ok::<LetterView<'_>>("The dead letter.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: DeadLetterId = call.id("dead letter")?;
        let letter = self.letters.find(&id).await?.ok_or_else(|| Problem::not_found("dead letter"))?;
        Reply::ok(&letter.view())
    }
}

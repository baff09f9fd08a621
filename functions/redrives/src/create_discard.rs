//! `POST /monitor/discards`: an administrator gives dead letters up. They are kept for a time, and can be looked at.
//! Those of one consumer, which failed in one way or in any, and which were parked before a time.

use shop_events::Disposal;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Function, StartError};

use crate::asking::Asking;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateDiscard>();

pub(crate) struct CreateDiscard(Asking);

impl Route for CreateDiscard {
    const NAME: &'static str = "create-discard";
    const ENDPOINT: Endpoint = post("/monitor/discards");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self(Asking::start(Disposal::Discard, start)?))
    }

    fn contract() -> Contract {
        Asking::contract("Gives dead letters up: nobody will handle them")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        self.0.answer(&call).await
    }
}

//! `POST /monitor/redrives`: an administrator has dead letters sent to their queue again, in the background.
//! Those of one consumer, which failed in one way or in any, and which were parked before a time.

use shop_events::Disposal;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Function, StartError};

use crate::asking::Asking;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateRedrive>();

pub(crate) struct CreateRedrive(Asking);

impl Route for CreateRedrive {
    const NAME: &'static str = "create-redrive";
    const ENDPOINT: Endpoint = post("/monitor/redrives");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self(Asking::start(Disposal::Redrive, start)?))
    }

    fn contract() -> Contract {
        Asking::contract("Has dead letters sent to their queue again")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        self.0.answer(&call).await
    }
}

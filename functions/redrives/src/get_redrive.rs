//! `GET /monitor/redrives/{id}`: how far a redrive or a discard is. Administrators only.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::RedriveId;

use crate::redrive::RedriveView;
use crate::store::Redrives;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetRedrive>();

pub(crate) struct GetRedrive {
    redrives: Redrives,
}

impl Route for GetRedrive {
    const NAME: &'static str = "get-redrive";
    const ENDPOINT: Endpoint = get("/monitor/redrives/{id}");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { redrives: Redrives::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows how far a redrive or a discard is").ok::<RedriveView<'_>>("The redrive.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: RedriveId = call.id("redrive")?;
        let found = self.redrives.find(&id).await?.ok_or_else(|| Problem::not_found("redrive"))?;
        Reply::ok(&found.view())
    }
}

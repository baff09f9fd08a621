//! `GET /redrives/{id}`: a redrive. Whoever is signed in may read it.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};
use shop_types::RedriveId;

use crate::redrive::RedriveView;
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetRedrive>();

pub(crate) struct GetRedrive {
    store: Store,
}

impl Route for GetRedrive {
    const NAME: &'static str = "get-redrive";
    const ENDPOINT: Endpoint = get("/redrives/{id}");
    const ACCESS: Access = Access::SignedIn;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows a redrive").ok::<RedriveView<'_>>("The redrive.").cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: RedriveId = call.id("redrive")?;
        let found = self.store.find(&id).await?.ok_or_else(|| Problem::not_found("redrive"))?;
        if call.is_unchanged(found.version)? {
            return Reply::not_modified(found.version);
        }
        Reply::ok(&found.view())?.versioned(found.version)
    }
}

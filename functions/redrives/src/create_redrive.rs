//! `POST /redrives`: makes a redrive. Whoever is signed in may.

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};
use shop_types::RedriveId;

use crate::redrive::{Redrive, RedriveView};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateRedrive>();

pub(crate) struct CreateRedrive {
    store: Store,
    clock: Clock,
    random: Random,
}

impl Route for CreateRedrive {
    const NAME: &'static str = "create-redrive";
    const ENDPOINT: Endpoint = post("/redrives");
    const ACCESS: Access = Access::SignedIn;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let store = Store::start(start.environment(), start.client())?;
        Ok(Self { store, clock: start.clock(), random: start.random() })
    }

    fn contract() -> Contract {
        Contract::new("Makes a redrive").created::<RedriveView<'_>>("The redrive.").versioned()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let now = self.clock.now();
        let id = RedriveId::fresh(now, self.random.bytes());
        let new = Redrive { id, version: 1, created_at: now, cause: call.cause() };
        let stored = self.store.create(new).await?;
        Reply::created(&format!("/redrives/{}", stored.id), &stored.view())?.versioned(stored.version)
    }
}

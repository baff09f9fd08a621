//! `GET /openapi.json`: the API's document, made of what each route says of itself (`cargo xtask sync`).

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetOpenapi>();

/// The document, as it is committed.
pub(crate) const DOCUMENT: &str = include_str!("../openapi.json");

pub(crate) struct GetOpenapi;

impl Route for GetOpenapi {
    const NAME: &'static str = "get-openapi";
    const ENDPOINT: Endpoint = get("/openapi.json");
    const ACCESS: Access = Access::Anonymous;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn contract() -> Contract {
        Contract::new("Shows this document")
            .text("application/vnd.oai.openapi+json;version=3.1", "The document.")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        let document = DOCUMENT.as_bytes().to_vec();
        Ok(Reply::content("application/vnd.oai.openapi+json;version=3.1", document).public())
    }
}

//! `GET /health`: that the API answers, and which release. It asks nothing and nobody: a load balancer or an uptime
//! check may call it as often as it likes. What is behind the API is watched by the alarms (docs/operations.md).

use schemars::JsonSchema;
use serde::Serialize;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetHealth>();

pub(crate) struct GetHealth;

/// The health of the API.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
struct HealthView {
    status: Status,
    /// The release.
    version: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Status {
    /// It answers.
    Ok,
}

impl Route for GetHealth {
    const NAME: &'static str = "get-health";
    const ENDPOINT: Endpoint = get("/health");
    const ACCESS: Access = Access::Anonymous;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Self)
    }

    fn contract() -> Contract {
        Contract::new("Says that the API answers").ok::<HealthView>("It answers.")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        Reply::ok(&HealthView { status: Status::Ok, version: env!("CARGO_PKG_VERSION") })
    }
}

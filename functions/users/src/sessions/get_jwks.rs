//! `GET /.well-known/jwks.json`: the public halves of the keys that access tokens are signed with (RFC 7517), so
//! that others can check our tokens. Everybody may read it.

use shop_auth::{JwkSet, KeyTable};
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetJwks>();

pub(crate) struct GetJwks {
    keys: KeyTable,
}

impl Route for GetJwks {
    const NAME: &'static str = "get-jwks";
    const ENDPOINT: Endpoint = get("/.well-known/jwks.json");
    const ACCESS: Access = Access::Public;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let keys = KeyTable::new(start.client(), start.required("KEYS_TABLE")?, start.random());
        Ok(Self { keys })
    }

    fn contract() -> Contract {
        Contract::new("Shows the keys by which access tokens are checked").ok::<JwkSet>("The keys.")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        // Half a minute in caches: a new key is published before the first token that it signs.
        Ok(Reply::ok(&self.keys.jwks().await?)?.public())
    }
}

//! `GET /.well-known/jwks.json`: the public halves of the keys that access tokens are signed with (RFC 7517), so
//! that others can check our tokens. Everybody may read it.
//!
//! Needs `dynamodb:GetItem` on the key table.

use aws_sdk_dynamodb::Client;
use shop_auth::KeyTable;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

/// The function.
pub const FUNCTION: Function = Function::new(GetJwks::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let keys = KeyTable::new(client.clone(), environment.required("KEYS_TABLE")?);
        shop_http::start(GetJwks { keys }, &environment, &client).await
    })
});

struct GetJwks {
    keys: KeyTable,
}

impl Route for GetJwks {
    const NAME: &'static str = "get-jwks";
    const ACCESS: Access = Access::Public;

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        // Half a minute in caches: a new key is published before the first token that it signs.
        Ok(Reply::ok(&self.keys.jwks().await?)?.public())
    }
}

//! `GET /.well-known/jwks.json`: the public halves of the keys that access tokens are signed with (RFC 7517), so
//! that others can check our tokens. Everybody may read it.
//!
//! Needs `dynamodb:GetItem` on the key table.

use aws_sdk_dynamodb::Client;
use shop_auth::{KeyTable, Verifier};
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

/// The function.
pub const FUNCTION: Function = Function::new("get-jwks", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let keys = KeyTable::new(client.clone(), environment.required("KEYS_TABLE")?);
        let verifier = Verifier::start(&environment, &client).await?;
        Ok(shop_http::handler(GetJwks { keys }, verifier))
    })
});

struct GetJwks {
    keys: KeyTable,
}

impl Route for GetJwks {
    const ACCESS: Access = Access::Public;

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        // Half a minute in caches: a new key is published before the first token that it signs.
        Ok(Reply::ok(&self.keys.jwks().await?)?.public())
    }
}

//! `GET /.well-known/jwks.json`: reads the key table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::get_jwks::FUNCTION).await
}

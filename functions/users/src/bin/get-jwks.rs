//! `GET /.well-known/jwks.json`: [`users::sessions::get_jwks`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::sessions::get_jwks::FUNCTION).await
}

//! `GET /imports/{id}`: [`products::imports::get_import`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::imports::get_import::FUNCTION).await
}

//! `POST /imports/{id}/start`: [`products::imports::start_import`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::imports::start_import::FUNCTION).await
}

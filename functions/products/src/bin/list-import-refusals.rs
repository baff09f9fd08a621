//! `GET /imports/{id}/refusals`: [`products::imports::list_import_refusals`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::imports::list_import_refusals::FUNCTION).await
}

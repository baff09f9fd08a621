//! `GET /products/{id}/stock`: [`products::get_stock`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::get_stock::FUNCTION).await
}

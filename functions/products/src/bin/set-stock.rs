//! `PATCH /products/{id}/stock`: [`products::set_stock`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::set_stock::FUNCTION).await
}

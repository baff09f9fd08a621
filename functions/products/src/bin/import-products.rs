//! `ImportProductsQueue`: : [`products::imports::import_products`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::imports::import_products::FUNCTION).await
}

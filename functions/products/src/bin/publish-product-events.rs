//! the stream of `ProductsTable`: [`products::publish_product_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::publish_product_events::FUNCTION).await
}

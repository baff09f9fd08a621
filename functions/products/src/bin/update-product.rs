//! `PATCH /products/{id}`: [`products::update_product`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::update_product::FUNCTION).await
}

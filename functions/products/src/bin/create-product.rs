//! `POST /products`: [`products::create_product`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::create_product::FUNCTION).await
}

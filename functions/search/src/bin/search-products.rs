//! `GET /search`: [`search::search_products`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(search::search_products::FUNCTION).await
}

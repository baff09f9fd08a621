//! `GET /search/suggestions`: [`search::suggest_products`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(search::suggest_products::FUNCTION).await
}

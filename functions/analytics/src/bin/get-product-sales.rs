//! `GET /analytics/products`: [`analytics::get_product_sales`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(analytics::get_product_sales::FUNCTION).await
}

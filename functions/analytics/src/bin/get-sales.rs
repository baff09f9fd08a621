//! `GET /analytics/sales`: [`analytics::get_sales`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(analytics::get_sales::FUNCTION).await
}

//! `rate(1 day)`, or an operator: [`analytics::verify_sales`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(analytics::verify_sales::FUNCTION).await
}

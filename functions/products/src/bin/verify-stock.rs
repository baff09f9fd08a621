//! `rate(1 day)`, or an operator: [`products::verify_stock`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::verify_stock::FUNCTION).await
}

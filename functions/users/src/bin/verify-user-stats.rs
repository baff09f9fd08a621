//! `rate(1 day)`, or an operator: [`users::statistics::verify_user_stats`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::statistics::verify_user_stats::FUNCTION).await
}

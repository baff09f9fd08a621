//! `GET /alerts`: [`notifications::list_alerts`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(notifications::list_alerts::FUNCTION).await
}

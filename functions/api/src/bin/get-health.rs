//! `GET /health`: [`api::get_health`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(api::get_health::FUNCTION).await
}

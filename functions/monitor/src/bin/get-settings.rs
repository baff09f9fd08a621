//! `GET /monitor/settings`: [`monitor::get_settings`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(monitor::get_settings::FUNCTION).await
}

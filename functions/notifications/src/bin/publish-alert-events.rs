//! the stream of `AlertsTable`: [`notifications::publish_alert_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(notifications::publish_alert_events::FUNCTION).await
}

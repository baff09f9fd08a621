//! `GET /monitor/events`: [`monitor::list_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(monitor::list_events::FUNCTION).await
}

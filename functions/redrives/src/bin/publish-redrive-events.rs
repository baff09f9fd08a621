//! the stream of `RedrivesTable`: [`redrives::publish_redrive_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(redrives::publish_redrive_events::FUNCTION).await
}

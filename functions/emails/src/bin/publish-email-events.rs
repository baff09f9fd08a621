//! the stream of `EmailsTable`: [`emails::publish_email_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(emails::publish_email_events::FUNCTION).await
}

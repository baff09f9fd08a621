//! `GET /emails`: [`emails::list_emails`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(emails::list_emails::FUNCTION).await
}

//! `rate(2 minutes)`, or an operator: [`emails::resend_emails`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(emails::resend_emails::FUNCTION).await
}

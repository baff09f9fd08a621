//! `SendEmailQueue`: `order.cancelled`, `order.confirmed`, `order.rejected`, `order.shipped`, `user.email_confirmation_requested`, `user.password_reset_requested`, `user.registered`: [`emails::send_email`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(emails::send_email::FUNCTION).await
}

//! `POST /email-confirmations`: [`users::mail_proofs::confirm_email`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::mail_proofs::confirm_email::FUNCTION).await
}

//! `POST /password-resets`: [`users::mail_proofs::request_password_reset`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::mail_proofs::request_password_reset::FUNCTION).await
}

//! `POST /password-resets/complete`: [`users::mail_proofs::reset_password`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::mail_proofs::reset_password::FUNCTION).await
}

//! `POST /users/{id}/email-confirmation`: [`users::mail_proofs::request_email_confirmation`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::mail_proofs::request_email_confirmation::FUNCTION).await
}

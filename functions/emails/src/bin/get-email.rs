//! `GET /emails/{id}`: [`emails::get_email`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(emails::get_email::FUNCTION).await
}

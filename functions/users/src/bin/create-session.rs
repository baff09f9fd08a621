//! `POST /sessions`: [`users::sessions::create_session`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::sessions::create_session::FUNCTION).await
}

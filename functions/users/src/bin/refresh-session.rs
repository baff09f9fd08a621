//! `POST /sessions/refresh`: [`users::sessions::refresh_session`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::sessions::refresh_session::FUNCTION).await
}

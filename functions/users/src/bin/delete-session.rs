//! `DELETE /sessions/current`: [`users::sessions::delete_session`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::sessions::delete_session::FUNCTION).await
}

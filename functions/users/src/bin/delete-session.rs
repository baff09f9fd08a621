//! `DELETE /sessions/current`: [`users::delete_session`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::delete_session::FUNCTION).await
}

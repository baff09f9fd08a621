//! `POST /users`: [`users::accounts::register_user`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::accounts::register_user::FUNCTION).await
}

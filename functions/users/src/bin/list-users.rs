//! `GET /users`: [`users::accounts::list_users`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::accounts::list_users::FUNCTION).await
}

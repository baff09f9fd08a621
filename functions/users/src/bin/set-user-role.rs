//! `PUT /users/{id}/role`: [`users::accounts::set_user_role`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::accounts::set_user_role::FUNCTION).await
}

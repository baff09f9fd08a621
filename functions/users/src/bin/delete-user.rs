//! `DELETE /users/{id}`: [`users::accounts::delete_user`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::accounts::delete_user::FUNCTION).await
}

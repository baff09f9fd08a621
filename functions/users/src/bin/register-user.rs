//! `POST /users`: writes the users table and the sessions table; reads the lookup secret.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::register_user::FUNCTION).await
}

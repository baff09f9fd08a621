//! `PUT /users/{id}/role`: writes the users table and the sessions table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::set_user_role::FUNCTION).await
}

//! `DELETE /users/{id}`: writes the users table and the sessions table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::delete_user::FUNCTION).await
}

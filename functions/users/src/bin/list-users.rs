//! `GET /users`: queries an index of the users table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::list_users::FUNCTION).await
}

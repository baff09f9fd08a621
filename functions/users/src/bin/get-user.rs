//! `GET /users/{id}`: reads one item of the users table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::get_user::FUNCTION).await
}

//! `DELETE /sessions/current`: deletes one item of the sessions table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::delete_session::FUNCTION).await
}

//! `POST /sessions/refresh`: reads and writes the sessions table, reads an account and the signing secret.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::refresh_session::FUNCTION).await
}

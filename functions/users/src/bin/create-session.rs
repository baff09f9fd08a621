//! `POST /sessions`: reads and writes the sessions table; reads both secrets.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::create_session::FUNCTION).await
}

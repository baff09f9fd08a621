//! `GET /docs`: asks nothing of AWS.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(api::get_docs::FUNCTION).await
}

//! `$default`: what is no route of the API, or not by that method.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(api::answer_unknown_route::FUNCTION).await
}

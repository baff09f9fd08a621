//! The stream of the products table, to the topic.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(products::publish_product_events::FUNCTION).await
}

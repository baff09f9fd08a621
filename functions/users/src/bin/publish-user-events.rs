//! Relays the users table's stream: publishes to the topic, and parks what it cannot in a queue.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::publish_user_events::FUNCTION).await
}

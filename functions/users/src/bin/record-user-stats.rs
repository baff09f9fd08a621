//! Consumes `order.confirmed` and `order.cancelled`: reads and writes the users table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::record_user_stats::FUNCTION).await
}

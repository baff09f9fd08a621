//! Once a day, or by hand: verifies the users table against the orders table, and repairs it when told to.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::verify_user_stats::FUNCTION).await
}

//! the stream of `UsersTable`: [`users::publish_user_events`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::publish_user_events::FUNCTION).await
}

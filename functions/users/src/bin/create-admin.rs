//! an operator: [`users::accounts::create_admin`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(users::accounts::create_admin::FUNCTION).await
}

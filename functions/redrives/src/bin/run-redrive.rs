//! `RunRedriveQueue`: : [`redrives::run_redrive`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(redrives::run_redrive::FUNCTION).await
}

//! `GET /monitor/redrives/{id}`: [`redrives::get_redrive`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(redrives::get_redrive::FUNCTION).await
}

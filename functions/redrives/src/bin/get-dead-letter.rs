//! `GET /monitor/dead-letters/{id}`: [`redrives::get_dead_letter`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(redrives::get_dead_letter::FUNCTION).await
}

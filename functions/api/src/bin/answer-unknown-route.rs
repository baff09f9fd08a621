//! `$default`: [`api::answer_unknown_route`]. Written by `cargo xtask sync`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(api::answer_unknown_route::FUNCTION).await
}

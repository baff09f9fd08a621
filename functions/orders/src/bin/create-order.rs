//! `POST /orders`: reads prices in the products table, writes the order into the orders table.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    shop_lambda::run(orders::create_order::FUNCTION).await
}

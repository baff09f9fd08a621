//! The least that a function can be, for `cargo xtask bench -- --starts` to hold the others against.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let answer = |_: LambdaEvent<Value>| async { Ok::<_, Error>(json!({ "statusCode": 200 })) };
    run(service_fn(answer)).await
}

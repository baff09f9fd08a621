//! `cargo xtask watch-check`: `cargo lambda watch` serves the HTTP functions from source, with the routes of
//! the watch router, on the tables of an emulator; the consumers deployed there settle what it takes in.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::http;
use crate::process::Server;
use crate::project::Project;
use crate::python::Environment;

/// cargo-lambda itself starts at once; functions are compiled at their first request.
const START_PATIENCE: Duration = Duration::from_mins(1);
/// From the stream over the topic and two queues, in an emulator.
const SETTLE_PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Places an order as a guest through `cargo lambda watch`, and waits until it is confirmed.
///
/// # Errors
/// When the emulator is not up, or the order is not taken or not confirmed.
pub(crate) fn check(project: &Project, emulator: &Emulator) -> Result<()> {
    let stack = emulator.stack(project)?;
    let port = http::free_port()?;
    let mut command = Environment::cargo_lambda(project)?.command("cargo-lambda");
    emulator.point(&mut command);
    command
        .current_dir(project.root())
        .envs(stack.all_variables())
        .args(["lambda", "watch", "--ignore-changes", "--invoke-address", "127.0.0.1"])
        .args(["--invoke-port", &port.to_string()]);
    let log = project.workshop().join("watch.log");
    let mut server = Server::start("cargo lambda watch", &mut command, &log)?;
    let base_url = format!("http://127.0.0.1:{port}");
    // It answers what it has no route for.
    server.wait_until(START_PATIENCE, || http::answers(&base_url))?;
    order(&base_url).inspect_err(|_| eprintln!("{}", server.log_tail()))
}

fn order(base_url: &str) -> Result<()> {
    let order = http::post(
        &format!("{base_url}/orders"),
        &json!({"items": [{"product_id": "prod-1", "quantity": 1}]}),
    )?;
    let text = |name: &str| order[name].as_str().with_context(|| format!("an order without {name}: {order}"));
    let (id, token) = (text("id")?, text("order_token")?);
    println!("cargo lambda watch took order {id}");
    let started = Instant::now();
    loop {
        let order = http::get_with(&format!("{base_url}/orders/{id}"), &[("order-token", token)])?;
        match &order["status"] {
            Value::String(status) if status == "pending" => {}
            status => {
                ensure!(status == "confirmed", "order {id} is {status}");
                println!("order {id} is confirmed after {:.1?}", started.elapsed());
                return Ok(());
            }
        }
        ensure!(started.elapsed() < SETTLE_PATIENCE, "order {id} is not settled: {order}");
        std::thread::sleep(LOOK_AGAIN);
    }
}

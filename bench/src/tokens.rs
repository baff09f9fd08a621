//! What a token check and a log-in cost: calls, which are exact, and processor time.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use bytes::Bytes;
use http::{Request, StatusCode};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use shop_auth::Verifier;
use shop_lambda::{Environment, Random};
use shop_local::cloud::{Cloud, Options};
use shop_local::template::{Template, of_one_machine};

use crate::report::{Bound, Report, Target};

/// Checks in a row, and rows, of which the fastest tells: the others were disturbed.
const CHECKS: u64 = 200;
const ROWS: u64 = 20;
const LOG_INS: u64 = 5;
const PASSWORD: &str = "correct horse battery staple";

/// Adds the figures.
pub(crate) async fn measure(root: &Path, report: &mut Report) -> Result<()> {
    let template = Template::load(&root.join("template.yaml"), &of_one_machine())?;
    let cloud = Cloud::start(&template, &services::functions(), Options::memory()).await?;
    let body = json!({ "email": "bench@example.com", "password": PASSWORD, "name": "A measurement" });
    post(&cloud, "/users", &body.to_string()).await?;
    let credentials = json!({ "email": "bench@example.com", "password": PASSWORD }).to_string();
    // The first log-in starts the function.
    let answer = post(&cloud, "/sessions", &credentials).await?;
    let token = answer["access_token"].as_str().context("a token")?;

    let calls = || cloud.meter().sum(|entry| entry.caller == "create-session").calls;
    let (before, time) = (calls(), processor_micros());
    for _ in 0..LOG_INS {
        post(&cloud, "/sessions", &credentials).await?;
    }
    report.add("POST /sessions: calls", "calls", (calls() - before).div_ceil(LOG_INS), Target::Exactly(3));
    let micros = (processor_micros() - time) / LOG_INS;
    report.add("POST /sessions: processor time", "us", micros, Target::None);

    let get_user =
        template.functions.values().find(|function| function.name == "get-user").context("get-user")?;
    let environment =
        Environment::new(get_user.environment.clone(), cloud.sdk_config("token-check"), Random::system());
    let verifier = Verifier::start(&environment, &Client::new(environment.sdk_config())).await?;
    let calls = || cloud.meter().sum(|entry| entry.caller == "token-check").calls;
    let before = calls();
    let mut fastest = u64::MAX;
    for _ in 0..ROWS {
        let start = processor_micros();
        for _ in 0..CHECKS {
            verifier.verify(token).await?;
        }
        fastest = fastest.min(processor_micros() - start);
    }
    report.add("token check: calls", "calls", calls() - before, Target::Exactly(0));
    let bound = Target::About(Bound::AtMost(150));
    report.add("token check: processor time", "us", fastest.div_ceil(CHECKS), bound);
    cloud.stop().await;
    Ok(())
}

async fn post(cloud: &Cloud, path: &str, body: &str) -> Result<serde_json::Value> {
    let request = Request::post(path).header("content-type", "application/json");
    let answer = cloud.invoke_http(request.body(Bytes::from(body.to_owned()))?, "127.0.0.1").await;
    ensure!(answer.status() == StatusCode::CREATED, "POST {path}: {}", answer.status());
    Ok(serde_json::from_slice(answer.body())?)
}

/// The processor time of this process so far.
pub(crate) fn processor_micros() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let micros = time.tv_sec * 1_000_000 + time.tv_nsec / 1000;
    u64::try_from(micros).unwrap_or_default()
}

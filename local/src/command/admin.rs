//! `shop admin`: makes the first administrator in a data folder, by the function that has no route.
//!
//! It needs the folder to itself, so nothing that a running shop serves can reach it: there is no path of the
//! front door for it, not even on the loopback.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use anyhow::{Context, Result, bail};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use shop_lambda::Random;
use shop_local::cloud::{Cloud, Mode, Options};
use shop_local::template::Template;

use super::arguments::Admin;
use super::data_dir::DataDir;
use super::output::say;
use super::shop::{DEFAULT_DATA, find_template};

/// The function, by its one name.
const FUNCTION: &str = "create-admin";

#[derive(Serialize)]
struct Request<'a> {
    email: &'a str,
    password: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    created: bool,
    user_id: Option<String>,
    code: Option<String>,
    #[serde(default)]
    errors: Vec<Mistake>,
}

#[derive(Deserialize)]
struct Mistake {
    pointer: String,
    detail: String,
}

/// Makes the administrator, and says who it is.
pub(super) async fn run(settings: Admin) -> Result<()> {
    let template_path = match settings.template {
        Some(path) => path,
        None => find_template()?,
    };
    let folder = settings.data.unwrap_or_else(|| template_path.with_file_name(DEFAULT_DATA));
    let mut data = DataDir::open(&folder, "--data DIR")?;
    let template = Template::load(&template_path, &BTreeMap::new())
        .with_context(|| format!("{} cannot be used", template_path.display()))?;
    let password = if settings.password_stdin { read_password()? } else { made_up() };
    let payload =
        to_raw_value(&Request { email: &settings.email, password: &password, name: &settings.name })?;
    let mode = Mode::Real { data_dir: Some(data.path().to_owned()) };
    let cloud = Cloud::start(&template, &shop_local::functions(), Options::new(mode))
        .await
        .with_context(|| data.remedy())?;
    data.started()?;
    let answer = create(&cloud, payload).await;
    cloud.stop().await;
    drop(data);
    let id = answer?;
    if settings.password_stdin {
        return say(&format!("{} is an administrator now: {id}\n", settings.email));
    }
    say(&format!("{} is an administrator now: {id}\npassword, shown this once: {password}\n", settings.email))
}

/// Makes an administrator in a running cloud; gives the password that was made up.
pub(super) async fn make(cloud: &Cloud, email: &str) -> Result<String> {
    let password = made_up();
    let payload = to_raw_value(&Request { email, password: &password, name: "Administrator" })?;
    create(cloud, payload).await?;
    Ok(password)
}

async fn create(cloud: &Cloud, payload: Box<RawValue>) -> Result<String> {
    let answer = cloud.invoke(FUNCTION, payload).await.context("the administrator cannot be made")?;
    let answer: Answer = serde_json::from_str(answer.get()).context("the function's answer")?;
    if let (true, Some(id)) = (answer.created, answer.user_id) {
        return Ok(id);
    }
    let mistakes = answer.errors.iter().map(|error| format!("\n  {}: {}", error.pointer, error.detail));
    let mistakes: String = mistakes.collect();
    bail!("no administrator was made: {}{mistakes}", answer.code.unwrap_or_default())
}

fn read_password() -> Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("the password cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// 144 random bits.
fn made_up() -> String {
    BASE64URL_NOPAD.encode(&Random::system().bytes::<18>())
}

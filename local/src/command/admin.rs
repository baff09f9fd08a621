//! `shop admin`: makes an administrator in a data folder, or restores one, by the function that has no route.
//!
//! It needs the folder to itself, so nothing that a running shop serves can reach it: there is no path of the
//! gateway for it, not even on the loopback.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use anyhow::{Context, Result, bail};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use shop_lambda::Random;
use shop_local::cloud::{Cloud, Mode, Options};

use super::arguments::Admin;
use super::data_dir::DataDir;
use super::location::Location;
use super::output::say;

/// The function, by its one name.
const FUNCTION: &str = "create-admin";

#[derive(Serialize)]
struct Request<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    name: &'a str,
    restore: bool,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<Made>,
    user_id: Option<String>,
    code: Option<String>,
    #[serde(default)]
    errors: Vec<Mistake>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Made {
    Created,
    Restored,
}

#[derive(Deserialize)]
struct Mistake {
    pointer: String,
    detail: String,
}

/// Makes the administrator, and says who it is.
pub(super) async fn run(settings: Admin) -> Result<()> {
    let location = Location::find(settings.template, settings.data)?;
    let mut data = DataDir::open(&location.data, "--data DIR")?;
    let template = location.load(&BTreeMap::new())?;
    let given = if settings.password_stdin { Some(read_password()?) } else { None };
    let request = |password, restore| {
        to_raw_value(&Request { email: &settings.email, password, name: &settings.name, restore })
    };
    let mode = Mode::Real { data_dir: Some(data.path().to_owned()) };
    let cloud = Cloud::start(&template, &services::functions(), Options::new(mode))
        .await
        .with_context(|| data.remedy())?;
    data.started()?;
    // An account that is restored keeps its password, unless one is given: one that is made up is for a new one.
    let made_up = if given.is_none() && !settings.restore { Some(random_password()) } else { None };
    let answer = create(&cloud, request(given.as_deref().or(made_up.as_deref()), settings.restore)?).await;
    cloud.stop().await;
    drop(data);
    let (result, id) = made(answer?)?;
    let what = match result {
        Made::Created => "a new account, and an administrator's",
        Made::Restored => "an administrator's account again",
    };
    let shown =
        made_up.map(|password| format!("password, shown this once: {password}\n")).unwrap_or_default();
    say(&format!("{} is {what}: {id}\n{shown}", settings.email))
}

/// Makes an administrator in a running cloud; gives the password that was made up.
pub(super) async fn make(cloud: &Cloud, email: &str) -> Result<String> {
    let password = random_password();
    let request = Request { email, password: Some(&password), name: "Administrator", restore: false };
    made(create(cloud, to_raw_value(&request)?).await?)?;
    Ok(password)
}

async fn create(cloud: &Cloud, payload: Box<RawValue>) -> Result<Answer> {
    let answer = cloud.invoke(FUNCTION, payload).await.context("the administrator cannot be made")?;
    serde_json::from_str(answer.get()).context("the function's answer")
}

fn made(answer: Answer) -> Result<(Made, String)> {
    if let (Some(made), Some(id)) = (answer.result, answer.user_id) {
        return Ok((made, id));
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
fn random_password() -> String {
    BASE64URL_NOPAD.encode(&Random::system().bytes::<18>())
}

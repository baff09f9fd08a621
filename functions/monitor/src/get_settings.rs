//! `GET /monitor/settings`: how this stack is set: the parameters that it was deployed with, and what the code decides that
//! operators ask for. No secret is a parameter; whose address is told of alarms is not shown, only whether there is one.
//! Administrators only.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shop_auth::{
    ACCESS_TOKEN_LIFETIME_SECONDS, ADMIN_TOKEN_LIFETIME_SECONDS, CONFIRMATION_LIFETIME_SECONDS,
    REFRESH_LIFETIME_SECONDS, RESET_LIFETIME_SECONDS,
};
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::recovery::{BORNE_OUTAGE, COLLECT_INTERVAL, MAX_RECEIVES, STALLED_AFTER, SWEEP_INTERVAL};
use shop_lambda::{Environment, Function, StartError};

use crate::store::KEPT_FOR;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetSettings>();

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The shop, and what it sends to people.
    Shop,
    /// How much one may ask for.
    Limits,
    /// Who is let in, and for how long.
    Access,
    /// What is kept, and for how long.
    Data,
    /// How it runs.
    Running,
    /// What becomes of what fails.
    Recovery,
}

use Group::{Access as Entry, Data, Limits, Recovery, Running, Shop};

/// The parameters that are shown: of each what it is about, its name, and what it sets.
pub const PARAMETERS: &[(Group, &str, &str)] = &[
    (Shop, "ShopName", "What the shop is called, in its mails"),
    (Shop, "ShopUrl", "Where the shop is on the web"),
    (Shop, "EmailFrom", "From whom mails to customers are; none are sent without"),
    (
        Shop,
        "EmailIdentity",
        "The identity of SES that the sender belongs to, where it is not the address itself",
    ),
    (Shop, "EmailsSwitchedOff", "Mails that are not sent"),
    (Shop, "BusinessTimeZone", "Whose days the reports of sales have"),
    (Limits, "AccountOrderLimit", "Orders that an account may place in a quarter of an hour"),
    (
        Limits,
        "AddressOrderLimit",
        "Orders that guests at one network address may place in a quarter of an hour",
    ),
    (
        Limits,
        "RegistrationsPerHour",
        "Accounts and passwords that one network address may ask for in an hour",
    ),
    (Limits, "ApiRateLimit", "Requests a second on a route"),
    (Limits, "ApiBurstLimit", "Requests at once on a route"),
    (Limits, "AdminRateLimit", "Requests a second on a route that changes the catalogue"),
    (Limits, "AdminBurstLimit", "Requests at once on a route that changes the catalogue"),
    (Limits, "SessionRateLimit", "Requests a second on a route of sessions and accounts"),
    (Limits, "SessionBurstLimit", "Requests at once on a route of sessions and accounts"),
    (Limits, "InvalidationPathsPerDay", "Paths that CloudFront is told to forget in a day"),
    (
        Limits,
        "EdgeRateLimit",
        "Requests of one address in five minutes that CloudFront lets through; 0 for all",
    ),
    (Entry, "ApiDomainName", "The API's own name, by which alone it is reached; AWS's where there is none"),
    (Entry, "EdgeDomainName", "CloudFront's own name"),
    (Entry, "AllowedOrigins", "Origins whose pages may call the API"),
    (Entry, "TokenIssuer", "The issuer that access tokens must have"),
    (Entry, "TokenAudience", "The audience that access tokens must have"),
    (Entry, "PasswordMemoryKib", "Memory of one password hash, in KiB"),
    (Entry, "PasswordConcurrency", "Environments that are reserved for each function that hashes passwords"),
    (Data, "PointInTimeRecovery", "Whether the tables are backed up continuously"),
    (Data, "DeletionProtection", "Whether the tables refuse to be deleted"),
    (Data, "LogRetentionDays", "Days that logs are kept"),
    (Running, "Architecture", "The processor of all functions"),
    (Running, "LogLevel", "The least severe lines that functions log"),
    (Running, "Tracing", "Whether X-Ray traces calls"),
    (Running, "EdgeCache", "Whether CloudFront is before the API"),
    (Running, "Dashboard", "Whether there is a dashboard in CloudWatch"),
    (Running, "RelayParallelization", "Batches of a stream's shard that its relay publishes at once"),
    (Running, "ReserveStockBatchSize", "Orders that one call of reserve-stock settles at most"),
    (Running, "ReserveStockBatchWindow", "Seconds to wait for such a batch to fill"),
    (Running, "RecordSaleBatchSize", "Orders that one call of record-sale counts at most"),
    (Running, "RecordSaleBatchWindow", "Seconds to wait for such a batch to fill"),
];

pub(crate) struct GetSettings {
    settings: Vec<SettingView>,
}

/// How the stack is set.
#[derive(Debug, Serialize, JsonSchema)]
struct Settings<'a> {
    /// The release.
    release: &'static str,
    data: &'a [SettingView],
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
struct SettingView {
    group: Group,
    /// What it sets.
    about: &'static str,
    /// The template's parameter that sets it; none where the code does.
    parameter: Option<&'static str>,
    /// None where it is left empty.
    value: Option<String>,
}

impl Route for GetSettings {
    const NAME: &'static str = "get-settings";
    const ENDPOINT: Endpoint = get("/monitor/settings");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { settings: settings(start.environment())? })
    }

    fn contract() -> Contract {
        Contract::new("Shows how the shop is set").ok::<Settings<'_>>("What is set, by what it is about.")
    }

    async fn handle(&self, _call: Call) -> Result<Reply, Problem> {
        Reply::ok(&Settings { release: env!("CARGO_PKG_VERSION"), data: &self.settings })
    }
}

/// Of `SETTINGS`, a parameter a line, `ALARMS_ARE_SENT` and `ALERTS_ARE_SENT`.
fn settings(environment: &Environment) -> Result<Vec<SettingView>, StartError> {
    let lines = environment.required("SETTINGS")?.lines();
    let given: BTreeMap<_, _> = lines.filter_map(|line| line.split_once('=')).collect();
    let parameters = PARAMETERS.iter().map(|(group, name, about)| SettingView {
        group: *group,
        about,
        parameter: Some(name),
        value: given.get(name).filter(|value| !value.is_empty()).map(|value| (*value).to_owned()),
    });
    let told = [
        ("AlarmEmail", "Whether somebody is told of alarms", environment.required("ALARMS_ARE_SENT")?),
        (
            "AlertEmail",
            "Whether somebody is told of products that run low",
            environment.required("ALERTS_ARE_SENT")?,
        ),
    ];
    let told = told.into_iter().map(|(name, about, value)| SettingView {
        group: Running,
        about,
        parameter: Some(name),
        value: Some(value.to_owned()),
    });
    Ok(parameters.chain(told).chain(decided()).collect())
}

/// What the code decides.
fn decided() -> impl Iterator<Item = SettingView> {
    let days = |seconds: u64| format!("{} days", seconds / 86_400);
    let minutes = |seconds: u64| format!("{} min", seconds / 60);
    let lifetime = |seconds: i64, unit: fn(u64) -> String| unit(seconds.unsigned_abs());
    let decided = [
        (
            Entry,
            "How long a customer's access token is good",
            lifetime(ACCESS_TOKEN_LIFETIME_SECONDS, minutes),
        ),
        (
            Entry,
            "How long an administrator's access token is good",
            lifetime(ADMIN_TOKEN_LIFETIME_SECONDS, minutes),
        ),
        (Entry, "How long a session lasts that nobody uses", lifetime(REFRESH_LIFETIME_SECONDS, days)),
        (
            Entry,
            "How long the code that sets another password is good",
            lifetime(RESET_LIFETIME_SECONDS, minutes),
        ),
        (
            Entry,
            "How long the code that confirms an address is good",
            lifetime(CONFIRMATION_LIFETIME_SECONDS, days),
        ),
        (Data, "How long the journal of events is kept", days(KEPT_FOR.as_secs())),
        (Recovery, "How often a message is tried", MAX_RECEIVES.to_string()),
        (Recovery, "An outage that costs no message its tries", minutes(BORNE_OUTAGE.as_secs())),
        (Recovery, "How often dead letters are collected", minutes(COLLECT_INTERVAL.as_secs())),
        (Recovery, "After how long a pending order is stalled", minutes(STALLED_AFTER.as_secs())),
        (Recovery, "How often stalled orders are looked for", minutes(SWEEP_INTERVAL.as_secs())),
    ];
    decided.into_iter().map(|(group, about, value)| SettingView {
        group,
        about,
        parameter: None,
        value: Some(value),
    })
}

#[cfg(test)]
mod tests {
    use shop_lambda::Random;

    use super::*;

    #[test]
    fn what_is_set_is_shown_and_what_is_left_empty_is_none() {
        let variables = [
            ("SETTINGS", "ShopName=A = b\nShopUrl=\nSomethingElse=hidden\nLogRetentionDays=7\n"),
            ("ALARMS_ARE_SENT", "true"),
            ("ALERTS_ARE_SENT", "false"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let sdk = aws_types::SdkConfig::builder().build();
        let environment = Environment::new(variables, sdk, Random::system());
        let shown = settings(&environment).unwrap();
        let value = |name| shown.iter().find(|one| one.parameter == Some(name)).unwrap().value.clone();
        assert_eq!(value("ShopName").as_deref(), Some("A = b"));
        assert_eq!(value("LogRetentionDays").as_deref(), Some("7"));
        assert_eq!((value("ShopUrl"), value("EmailFrom")), (None, None));
        assert_eq!(value("AlarmEmail").as_deref(), Some("true"));
        assert!(shown.iter().all(|one| one.value.as_deref() != Some("hidden")));
        let customer = shown.iter().find(|one| one.about.contains("a customer's access token")).unwrap();
        assert_eq!(customer.value.as_deref(), Some("15 min"));
    }
}

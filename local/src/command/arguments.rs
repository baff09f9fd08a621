//! The command line. `SHOP_PORT` and `SHOP_LOG` set an option for all runs of a shell.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing_subscriber::filter::Targets;

/// Runs the whole shop on this machine, for development: no account, no Docker, no cloud.
#[derive(Debug, Parser)]
#[command(name = "shop", version, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) shop: Shop,
    #[command(flatten)]
    pub(super) log: Log,
    #[command(subcommand)]
    pub(super) mode: Option<Mode>,
}

/// Every function in this process, over the embedded cloud.
#[derive(Debug, Args)]
pub(super) struct Shop {
    #[command(flatten)]
    pub(super) gateway: GatewayOptions,
    /// Keep the state in memory only
    #[arg(long, conflicts_with = "data")]
    pub(super) memory: bool,
    /// Folder that keeps the state [default: .data beside template.yaml]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Make an administrator with this e-mail address first; the password is made up, and shown this once
    #[arg(long, value_name = "ADDRESS")]
    pub(super) admin: Option<String>,
    /// The template that wires the functions [default: template.yaml of this workspace]
    #[arg(long, value_name = "PATH")]
    pub(super) template: Option<PathBuf>,
    /// A parameter of the template, as RegistrationsPerHour=100; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(super) parameter: Vec<(String, String)>,
    /// Slow motion: every message and record waits so long before it is delivered, as 300ms or 2s; 10s at most
    #[arg(long, value_name = "TIME", value_parser = delay, default_value = "0ms")]
    pub(super) hop_delay: Duration,
    /// Time lapse: what failed comes again, and what runs on a schedule runs again, after so many times less
    #[arg(long, value_name = "TIMES", default_value = "1")]
    pub(super) time_lapse: NonZeroU32,
    /// A function whose calls of AWS fail, until `DELETE /faults/NAME`; may be given more than once
    #[arg(long, value_name = "FUNCTION")]
    pub(super) fail: Vec<String>,
}

/// A time, as `300ms` or `2s`. A message that is held back for longer would come again meanwhile.
fn delay(text: &str) -> Result<Duration, &'static str> {
    const MOST: Duration = Duration::from_secs(10);
    let number = |text: &str| text.parse::<u64>().ok();
    let time = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => number(millis).map(Duration::from_millis),
        (None, Some(seconds)) => number(seconds).map(Duration::from_secs),
        (None, None) => None,
    };
    time.filter(|time| *time <= MOST).ok_or("this is no time up to 10s, as 300ms or 2s")
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("this is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What both modes serve with.
#[derive(Debug, Args)]
pub(super) struct GatewayOptions {
    /// Port on the loopback addresses; 0 takes a free one
    #[arg(long, default_value_t = 8000, env = "SHOP_PORT")]
    pub(super) port: u16,
    /// No demo products, and no demo identity for requests without a token
    #[arg(long)]
    pub(super) no_demo: bool,
    /// Origin whose pages may use the API, as `http://localhost:3000`; may be given more than once
    #[arg(long, value_name = "ORIGIN")]
    pub(super) allow_origin: Vec<String>,
}

impl GatewayOptions {
    /// The parameter of the template that names the origins of pages.
    pub(super) fn parameters(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("AllowedOrigins".to_owned(), self.allow_origin.join(","))])
    }
}

/// What is logged, to standard error.
#[derive(Debug, Args)]
pub(super) struct Log {
    /// Least severe level: off, error, warn, info, debug or trace; per module as `warn,orders=debug`
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn", env = "SHOP_LOG")]
    pub(super) log: Targets,
    /// The form of a line
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t = LogForm::Text)]
    pub(super) log_format: LogForm,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogForm {
    /// For people
    Text,
    /// One JSON object a line, as the functions log in Lambda
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Mode {
    /// Only the gateway, before the HTTP API of an emulator
    Gateway(Emulator),
    /// Make the first administrator in a data folder, while no shop runs with it
    Admin(Admin),
}

/// An administrator: the first one, or one that is restored. There is no default password: it is read from standard
/// input, or made up and shown this once.
#[derive(Debug, Args)]
pub(super) struct Admin {
    /// The administrator's e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: String,
    /// The administrator's name
    #[arg(long, default_value = "Administrator")]
    pub(super) name: String,
    /// Read the password from standard input, one line
    #[arg(long)]
    pub(super) password_stdin: bool,
    /// If the address has an account, make it an administrator's (again). It keeps its password, unless one is given
    /// by --password-stdin
    #[arg(long)]
    pub(super) restore: bool,
    /// Folder that keeps the state [default: .data beside template.yaml]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// The template that wires the functions [default: template.yaml of this workspace]
    #[arg(long, value_name = "PATH")]
    pub(super) template: Option<PathBuf>,
}

/// An emulator's HTTP API, and where its stack keeps what tokens are made of. The AWS settings come from
/// `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
#[derive(Debug, Args)]
pub(super) struct Emulator {
    #[command(flatten)]
    pub(super) gateway: GatewayOptions,
    /// The emulator's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566")]
    pub(super) upstream: String,
    /// The API's host name, `{api-id}.execute-api.localhost:4566`
    #[arg(long, value_name = "HOST")]
    pub(super) host_header: String,
    /// Name or ARN of the signing secret (the stack's output `TokenSecretArn`)
    #[arg(long, value_name = "NAME", required_unless_present = "no_demo")]
    pub(super) secret_id: Option<String>,
    /// The table of public keys (the output `KeysTableName`)
    #[arg(long, value_name = "NAME", required_unless_present = "no_demo")]
    pub(super) keys_table: Option<String>,
    /// The table of accounts (the output `UsersTableName`)
    #[arg(long, value_name = "NAME", required_unless_present = "no_demo")]
    pub(super) users_table: Option<String>,
    /// The function that makes administrators (the output `CreateAdminFunctionName`)
    #[arg(long, value_name = "NAME", required_unless_present = "no_demo")]
    pub(super) admin_function: Option<String>,
    /// The issuer of tokens (the output `TokenIssuer`)
    #[arg(long, value_name = "NAME", required_unless_present = "no_demo")]
    pub(super) token_issuer: Option<String>,
    /// The audience of tokens (the output `TokenAudience`)
    #[arg(long, value_name = "NAME", required_unless_present = "no_demo")]
    pub(super) token_audience: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_delay_is_a_short_time() {
        assert_eq!(delay("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!((delay("2s"), delay("10s")), (Ok(Duration::from_secs(2)), Ok(Duration::from_secs(10))));
        for wrong in ["", "s", "300", "11s", "-1s", "1.5s", "99999999999999999999ms"] {
            assert!(delay(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_emulator_needs_its_stack_unless_there_is_no_demo() {
        let base = ["shop", "gateway", "--host-header", "a.execute-api.localhost:4566"];
        assert!(Arguments::try_parse_from(base).is_err());
        assert!(Arguments::try_parse_from(base.into_iter().chain(["--no-demo"])).is_ok());
        assert!(Arguments::try_parse_from(["shop", "--memory", "--data", "x"]).is_err());
    }
}

//! Where a function finds its variables, its AWS settings, the time and randomness.
//!
//! It must not build service clients: each function builds those it needs from [`Environment::sdk_config`],
//! so that a binary links no other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_types::SdkConfig;
use aws_types::region::Region;
use shop_types::Timestamp;

use crate::calls;
use crate::http_client::http_client;

/// Why a function could not start. Its text names what is missing, and never a value.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An environment variable is not set, or is empty.
    #[error("the environment variable {0} is not set")]
    MissingVariable(String),
    /// An environment variable has a value that cannot be used.
    #[error("the environment variable {name} is not {expected}")]
    InvalidVariable {
        /// The variable.
        name: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// Something that the function reads at its start could not be read.
    #[error("{what} could not be read")]
    Unavailable {
        /// What was read.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The time, from the same source that signs AWS calls.
#[derive(Clone, Debug)]
pub struct Clock(SharedTimeSource);

impl Clock {
    /// Now, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let since_epoch = self.0.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A source of random bytes: the operating system's, or a seeded one under simulation.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// Takes bytes from `fill`, which must fill the whole slice.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Arc::new(fill))
    }

    /// The operating system's generator.
    ///
    /// # Panics
    /// When bytes are taken and the system has no generator: no id may be made then, and the panic ends the
    /// invocation with an error.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an id from a failed generator would be guessable")]
    pub fn system() -> Self {
        Self::new(|bytes| aws_lc_rs::rand::fill(bytes).expect("the system has a random generator"))
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A whole number of seconds between two times, both included.
    #[must_use]
    pub fn seconds(&self, at_least: Duration, at_most: Duration) -> Duration {
        let (least, most) = (at_least.as_secs(), at_most.as_secs());
        let many = most.saturating_sub(least).saturating_add(1);
        // Of 64 bits, so that the remainder favours none that anybody could measure.
        Duration::from_secs(least + u64::from_be_bytes(self.bytes()) % many)
    }

    /// 128 random bits in hexadecimal: a text that nothing else has.
    #[must_use]
    pub fn unique(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.bytes()))
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

/// All that a function may know of the place it runs in.
#[derive(Clone, Debug)]
pub struct Environment {
    variables: Arc<BTreeMap<String, String>>,
    sdk: SdkConfig,
    clock: Clock,
    random: Random,
}

impl Environment {
    /// An environment from its parts. The clock is the SDK configuration's time source.
    #[must_use]
    pub fn new(variables: BTreeMap<String, String>, sdk: SdkConfig, random: Random) -> Self {
        let clock =
            Clock(sdk.time_source().unwrap_or_else(|| SharedTimeSource::new(SystemTimeSource::new())));
        Self { variables: Arc::new(variables), sdk, clock, random }
    }

    /// The environment that Lambda (or `cargo lambda watch`) sets: region and credentials from the
    /// variables that the execution role fills in, the endpoint from `AWS_ENDPOINT_URL` where one is set.
    ///
    /// Lambda always sets these variables, so the SDK's chain of providers (profiles, SSO, instance
    /// metadata) is left out: see docs/decisions/0003.
    ///
    /// # Errors
    /// Names the variable that is not set.
    pub fn from_lambda() -> Result<Self, StartError> {
        let variables: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let credentials = Credentials::new(
            required(&variables, "AWS_ACCESS_KEY_ID")?,
            required(&variables, "AWS_SECRET_ACCESS_KEY")?,
            variables.get("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()).cloned(),
            None,
            "lambda-environment",
        );
        let mut sdk = SdkConfig::builder()
            .behavior_version(calls::behavior_version())
            .region(Region::new(required(&variables, "AWS_REGION")?.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::new(SystemTimeSource::new()))
            .http_client(http_client(&variables)?)
            .retry_config(calls::retries())
            .timeout_config(calls::timeouts());
        if let Some(endpoint) = variables.get("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()) {
            sdk = sdk.endpoint_url(endpoint);
        }
        Ok(Self::new(variables, sdk.build(), Random::system()))
    }

    /// The value of a variable that must be set.
    ///
    /// # Errors
    /// Names the variable when it is missing or empty.
    pub fn required(&self, name: &str) -> Result<&str, StartError> {
        required(&self.variables, name)
    }

    /// The value of a variable that must be set, and may be empty: none then.
    ///
    /// # Errors
    /// Names the variable when it is missing.
    pub fn optional(&self, name: &str) -> Result<Option<&str>, StartError> {
        match self.variables.get(name) {
            Some(value) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            None => Err(StartError::MissingVariable(name.to_owned())),
        }
    }

    /// The number in a variable.
    ///
    /// # Errors
    /// Names the variable when it is missing, or holds no number above 0.
    pub fn number(&self, name: &str) -> Result<u32, StartError> {
        let number = self.required(name)?.parse().ok().filter(|number| *number > 0);
        let invalid = || StartError::InvalidVariable { name: name.to_owned(), expected: "a number above 0" };
        number.ok_or_else(invalid)
    }

    /// The AWS settings from which a function builds its clients.
    #[must_use]
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The source of randomness.
    #[must_use]
    pub fn random(&self) -> Random {
        self.random.clone()
    }
}

fn required<'a>(variables: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, StartError> {
    match variables.get(name) {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(StartError::MissingVariable(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Environment::new(variables, SdkConfig::builder().build(), Random::system())
    }

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        let environment = environment(&[("ORDERS_TABLE", "orders"), ("KEYS_TABLE", "")]);
        assert_eq!(environment.required("ORDERS_TABLE").unwrap(), "orders");
        for name in ["KEYS_TABLE", "USERS_TABLE"] {
            let error = environment.required(name).unwrap_err();
            assert_eq!(error.to_string(), format!("the environment variable {name} is not set"));
        }
        assert_eq!(environment.optional("ORDERS_TABLE").unwrap(), Some("orders"));
        assert_eq!(environment.optional("KEYS_TABLE").unwrap(), None);
        let error = environment.optional("USERS_TABLE").unwrap_err();
        assert_eq!(error.to_string(), "the environment variable USERS_TABLE is not set");
    }

    #[test]
    fn drawn_seconds_are_between_their_bounds_and_reach_both() {
        let (least, most) = (Duration::from_secs(3), Duration::from_secs(5));
        let random = Random::system();
        let drawn: std::collections::BTreeSet<_> =
            (0..1000).map(|_| random.seconds(least, most).as_secs()).collect();
        assert_eq!(drawn, [3, 4, 5].into());
        assert_eq!(random.seconds(most, most), most);
    }

    #[test]
    fn random_bytes_differ() {
        let random = Random::system();
        assert_ne!(random.bytes::<16>(), random.bytes::<16>());
    }
}

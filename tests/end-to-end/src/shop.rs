//! The shop under test: where it is, who the suite can be there, and how much it may ask of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use reqwest::Client;
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;

use crate::accounts;
use crate::request::Caller;

/// A call that takes longer has failed. An emulator that works off a queue may take seconds.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);
/// A connection that was idle is not used again after this: a server may be about to close it (the gateway does
/// after 30 seconds), and a request that is on its way then gets no answer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// A scenario cannot run here, because the suite cannot be who it needs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Ignored(pub &'static str);

/// How much the suite asks of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scale {
    /// A laptop's embedded cloud, or AWS.
    Full,
    /// An emulator, which takes 100 ms for a call.
    Emulator,
}

impl Scale {
    /// The rush: how many orders, for how many units.
    pub(crate) const fn rush(self) -> (usize, usize) {
        match self {
            Self::Full => (1000, 100),
            Self::Emulator => (200, 20),
        }
    }

    /// How many calls the suite has under way at once.
    pub(crate) const fn callers(self) -> usize {
        match self {
            Self::Full => 200,
            Self::Emulator => 16,
        }
    }

    /// How long a scenario waits for what happens behind an order.
    pub(crate) const fn patience(self) -> Duration {
        match self {
            Self::Full => Duration::from_mins(2),
            Self::Emulator => Duration::from_mins(4),
        }
    }
}

/// Somebody for whom a token can be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// An administrator.
    Administrator,
    /// A customer of the user id.
    Customer(String),
}

/// Makes access tokens that the stack accepts, as if they were issued at a time.
pub type IssueToken = Arc<dyn Fn(&Person, SystemTime) -> Result<String> + Send + Sync>;

/// Who the suite can be.
#[derive(Clone)]
pub enum Identities {
    /// Only the gateway's demo administrator: no request carries a token.
    Demo,
    /// An administrator, by a token that was given.
    Administrator(String),
    /// An administrator, who logs in.
    LogIn {
        /// The administrator's e-mail address.
        email: String,
        /// The password.
        password: String,
    },
    /// Anybody.
    Anybody(IssueToken),
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Demo => "Demo",
            Self::Administrator(_) => "Administrator",
            Self::LogIn { .. } => "LogIn",
            Self::Anybody(_) => "Anybody",
        })
    }
}

/// The shop under test.
#[derive(Debug)]
pub struct Shop {
    http: Client,
    base: String,
    identities: Identities,
    /// Whether a request without a token is a guest's, and not the demo administrator's.
    guests: bool,
    scale: Scale,
    run: String,
    names: AtomicU64,
    /// The tokens of customers who have registered and done nothing yet.
    customers: Mutex<Vec<String>>,
}

/// As many customers as all scenarios take who cannot have tokens issued.
const CUSTOMERS: usize = 32;

impl Shop {
    /// Opens the shop at a base URL, and asks it whether it gives a demo identity.
    ///
    /// # Errors
    /// When nothing answers there, or no identity can be had.
    pub async fn open(base: &str, identities: Identities, scale: Scale) -> Result<Self> {
        let http = Client::builder()
            .timeout(CALL_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(Policy::none())
            .build()?;
        let base = base.trim_end_matches('/').to_owned();
        let asked = http.get(format!("{base}/orders")).send().await;
        let guests = asked.with_context(|| format!("no shop at {base}"))?.status().as_u16() == 401;
        anyhow::ensure!(
            !guests || !matches!(identities, Identities::Demo),
            "{base} gives no demo identity: an administrator's token is needed"
        );
        // Unique to this run: the suite may run against one shop many times.
        let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
        let mut shop = Self {
            http,
            base,
            identities,
            guests,
            scale,
            run: format!("{run:x}"),
            names: AtomicU64::new(0),
            customers: Mutex::default(),
        };
        if let Identities::LogIn { email, password } = &shop.identities {
            let token = accounts::log_in(&shop, email, password).await?.access;
            shop.identities = Identities::Administrator(token);
        }
        if !matches!(shop.identities, Identities::Anybody(_)) {
            for _ in 0..CUSTOMERS {
                let token = accounts::customer(&shop).await?.access;
                shop.customers.lock().unwrap_or_else(PoisonError::into_inner).push(token);
            }
        }
        Ok(shop)
    }

    /// How much may be asked.
    pub(crate) fn scale(&self) -> Scale {
        self.scale
    }

    /// How long to wait for what happens behind an order.
    pub(crate) fn patience(&self) -> Duration {
        self.scale.patience()
    }

    /// Whether a request without a token is the demo administrator's.
    pub(crate) fn is_demo(&self) -> bool {
        !self.guests
    }

    /// A name that nothing else has: no other run, and nothing else in this one.
    pub(crate) fn unique(&self, prefix: &str) -> String {
        format!("{prefix}-{}-{}", self.run, self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// The administrator.
    pub(crate) fn administrator(&self) -> Result<Caller<'_>> {
        let token = match &self.identities {
            Identities::Demo => None,
            Identities::Administrator(token) => Some(token.clone()),
            Identities::LogIn { .. } => anyhow::bail!("nobody has logged in"),
            Identities::Anybody(issue) => Some(issue(&Person::Administrator, SystemTime::now())?),
        };
        Ok(Caller::new(self, token))
    }

    /// A customer who has never been here.
    pub(crate) fn new_customer(&self) -> Result<Caller<'_>> {
        if matches!(self.identities, Identities::Anybody(_)) {
            return self.customer_since(SystemTime::now());
        }
        let registered = self.customers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Caller::new(self, Some(registered.context("more customers have to register")?)))
    }

    /// A customer who has never been here, whose token was issued at a time.
    pub(crate) fn customer_since(&self, issued: SystemTime) -> Result<Caller<'_>> {
        let Identities::Anybody(issue) = &self.identities else {
            return Err(Ignored("needs tokens of other times").into());
        };
        let customer = Person::Customer(self.new_user_id());
        Ok(Caller::new(self, Some(issue(&customer, issued)?)))
    }

    /// Somebody who can place orders: a new customer, or the administrator where there is nobody else.
    pub(crate) fn buyer(&self) -> Result<Caller<'_>> {
        match &self.identities {
            Identities::Anybody(_) => self.new_customer(),
            Identities::Demo | Identities::Administrator(_) | Identities::LogIn { .. } => {
                self.administrator()
            }
        }
    }

    /// Somebody without a token.
    pub(crate) fn guest(&self) -> Result<Caller<'_>> {
        if self.guests {
            Ok(Caller::new(self, None))
        } else {
            Err(Ignored("needs a shop without demo identity").into())
        }
    }

    /// Somebody with an access token.
    pub(crate) fn with_token(&self, token: impl Into<String>) -> Caller<'_> {
        Caller::new(self, Some(token.into()))
    }

    /// Somebody who sends no token, whoever that is here.
    pub(crate) fn nobody(&self) -> Caller<'_> {
        Caller::new(self, None)
    }

    /// Somebody with the given text as the value of `Authorization`.
    pub(crate) fn authorized_by(&self, value: &str, path: &str) -> crate::request::Request<'_> {
        Caller::new(self, None).get(path).header(AUTHORIZATION.as_str(), value)
    }

    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// `usr_` and 26 characters of the id alphabet, from this run's unique name.
    fn new_user_id(&self) -> String {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        // Hexadecimal digits are all in the alphabet.
        format!("usr_{:0>18}{number:08x}", self.run)
    }
}

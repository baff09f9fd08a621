//! Registering an account: the same for who comes to the shop and for its first administrator.

use std::net::IpAddr;

use aws_sdk_dynamodb::Client;
use shop_auth::Role;
use shop_events::Cause;
use shop_http::Problem;
use shop_lambda::{Clock, Environment, Random, StartError};
use shop_types::UserId;

use crate::accounts::fields::NewUser;
use crate::accounts::store::{AccountStore, WriteOutcome};
use crate::accounts::user::{Profile, User};
use crate::attempts::limits::{Rate, registrations};
use crate::attempts::rate_limiter::RateLimiter;
use crate::attempts::{source, too_many_attempts};
use crate::credentials::blind_index::BlindIndex;
use crate::credentials::password::Hasher;
use crate::secrets::BlindIndexSource;

/// The environment variable that says how many registrations an address has in an hour.
const PER_HOUR: &str = "REGISTRATIONS_PER_HOUR";

/// What is needed to register somebody, but for the secret.
pub(crate) struct RegistrarSource {
    accounts: AccountStore,
    hasher: Hasher,
    blind_index: BlindIndexSource,
    clock: Clock,
    random: Random,
}

impl RegistrarSource {
    /// Made of variables alone, so that a missing one is named before any call.
    pub(crate) fn of(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self {
            accounts: AccountStore::start(environment, client)?,
            hasher: Hasher::start(environment)?,
            blind_index: BlindIndexSource::of(environment)?,
            clock: environment.clock(),
            random: environment.random(),
        })
    }

    pub(crate) async fn read(self) -> Result<Registrar, StartError> {
        let Self { accounts, hasher, blind_index, clock, random } = self;
        Ok(Registrar { accounts, hasher, blind_index: blind_index.read().await?, clock, random })
    }
}

/// How many registrations an address has; as many passwords it may ask to replace, of any accounts.
pub(crate) struct RegistrationBudget {
    pub(crate) limiter: RateLimiter,
    pub(crate) rate: Rate,
}

impl RegistrationBudget {
    /// As `REGISTRATIONS_PER_HOUR` says.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        let invalid = || StartError::InvalidVariable {
            name: PER_HOUR.to_owned(),
            expected: "a number of registrations from 1 to 1000000",
        };
        let per_hour: u32 = environment.required(PER_HOUR)?.parse().map_err(|_| invalid())?;
        if !(1..=1_000_000).contains(&per_hour) {
            return Err(invalid());
        }
        Ok(Self { limiter: RateLimiter::start(environment, client)?, rate: registrations(per_hour) })
    }
}

pub(crate) struct Registrar {
    pub(crate) accounts: AccountStore,
    pub(crate) hasher: Hasher,
    pub(crate) blind_index: BlindIndex,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
}

#[derive(Debug)]
pub(crate) enum Registered {
    New(Box<User>),
    /// The same request registered it before, under the same idempotency key: as it was then.
    Before(Box<User>),
    /// The address belongs to an account already: to this user's.
    EmailTaken(UserId),
}

impl Registrar {
    /// Counts a registration from an address.
    pub(crate) async fn count(
        &self,
        budget: &RegistrationBudget,
        address: Option<IpAddr>,
    ) -> Result<(), Problem> {
        let address = self.blind_index.attempts_from(source(address));
        let counted = budget.limiter.count_registration(&address, budget.rate, self.clock.now()).await?;
        counted.map_err(too_many_attempts)
    }

    /// Registers an account, if its address is free. The password is hashed first in any case: the time says
    /// nothing of the address. `derived` is the id that an idempotency key stands for, where there is one.
    pub(crate) async fn register(
        &self,
        new_user: &NewUser,
        role: Role,
        derived: Option<UserId>,
        cause: Cause,
    ) -> Result<Registered, Problem> {
        let now = self.clock.now();
        // The same request has the same hash, and is told by it. A MAC of the password itself would be quicker to
        // guess by for whoever has the secret.
        let salt = derived.as_ref().map_or_else(|| self.random.bytes(), |id| self.blind_index.salt(id));
        let password = self.hasher.hash(&new_user.password, salt)?;
        let request = derived.as_ref().map(|_| {
            self.blind_index.request(&[&new_user.email.normalized(), &new_user.name, password.as_str()])
        });
        let id = derived.unwrap_or_else(|| UserId::fresh(now, self.random.bytes()));
        let login = self.blind_index.login(&new_user.email);
        let (name, email) = (new_user.name.clone(), new_user.email.clone());
        let profile = Profile { name, email, login, is_confirmed: false };
        let user = User::register(id, role, profile, cause, now).requested_by(request);
        let mut tries = self.accounts.tries();
        loop {
            match self.accounts.register(&user, password.clone()).await? {
                WriteOutcome::Done => return Ok(Registered::New(Box::new(user))),
                // A key that was used is told before anything of the address.
                WriteOutcome::IdTaken(stored) => return again(user, &stored),
                WriteOutcome::EmailTaken(login) => return Ok(Registered::EmailTaken(login.user_id)),
                WriteOutcome::Conflict | WriteOutcome::LastAdministrator | WriteOutcome::Unauthorized => {
                    tries.pause().await?;
                }
            }
        }
    }
}

/// The account as it was registered, if this is the same request; `asked` is what this one would have made.
fn again(asked: User, stored: &User) -> Result<Registered, Problem> {
    if stored.request.is_some()
        && stored.request == asked.request
        && let Some(profile) = &stored.profile
    {
        let (created_at, updated_at) = (stored.created_at, stored.created_at);
        let mut before = User { created_at, updated_at, ..asked };
        // The same request may write the address with other capitals. One that was changed since is not told.
        if let Some(asked) = &mut before.profile
            && asked.email.normalized() == profile.email.normalized()
        {
            asked.email = profile.email.clone();
        }
        return Ok(Registered::Before(Box::new(before)));
    }
    Err(Problem::idempotency_key_reused())
}

//! Registering an account: the same for who comes to the shop and for its first administrator.

use aws_sdk_dynamodb::Client;
use shop_auth::Role;
use shop_events::Cause;
use shop_http::Problem;
use shop_lambda::{Clock, Environment, Random, StartError};
use shop_types::UserId;

use crate::account::{Profile, User};
use crate::fields::Draft;
use crate::lookup::Lookup;
use crate::password::{Hasher, PasswordHash, Verdict};
use crate::secrets::LookupSource;
use crate::store::accounts::{AccountStore, Login, Written};

/// Tries of a write that meets another at the same moment: of two, DynamoDB may cancel both.
pub(crate) const TRIES: usize = 5;

/// What is needed to register somebody, but for the secret.
pub(crate) struct RegistrarSource {
    accounts: AccountStore,
    hasher: Hasher,
    lookup: LookupSource,
    clock: Clock,
    random: Random,
}

impl RegistrarSource {
    /// Made of variables alone, so that a missing one is named before any call.
    pub(crate) fn of(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self {
            accounts: AccountStore::start(environment, client)?,
            hasher: Hasher::start(environment)?,
            lookup: LookupSource::of(environment)?,
            clock: environment.clock(),
            random: environment.random(),
        })
    }

    /// Reads the secret.
    pub(crate) async fn read(self) -> Result<Registrar, StartError> {
        let Self { accounts, hasher, lookup, clock, random } = self;
        Ok(Registrar { accounts, hasher, lookup: lookup.read().await?, clock, random })
    }
}

/// Registers accounts.
pub(crate) struct Registrar {
    accounts: AccountStore,
    hasher: Hasher,
    lookup: Lookup,
    clock: Clock,
    random: Random,
}

/// What came of a registration.
#[derive(Debug)]
pub(crate) enum Registered {
    /// The account is new.
    New(Box<User>),
    /// The same request registered it before, under the same idempotency key.
    Before(Box<User>),
    /// The address belongs to an account already.
    Taken(Box<User>),
}

impl Registrar {
    /// Registers an account, if its address is free. The password is hashed first in any case: the time says
    /// nothing of the address. `derived` is the id that an idempotency key stands for, where there is one.
    pub(crate) async fn register(
        &self,
        draft: &Draft,
        role: Role,
        derived: Option<UserId>,
        cause: Cause,
    ) -> Result<Registered, Problem> {
        let now = self.clock.now();
        let password = self.hasher.hash(&draft.password, self.random.bytes())?;
        let has_key = derived.is_some();
        let id = derived.unwrap_or_else(|| UserId::fresh(now, self.random.bytes()));
        let login = self.lookup.login(&draft.email);
        let profile = Profile { name: draft.name.clone(), email: draft.email.clone(), login };
        let user = User::register(id, role, profile, cause, now);
        for _ in 0..TRIES {
            match self.accounts.register(&user, password.clone()).await? {
                Written::Done => return Ok(Registered::New(Box::new(user))),
                Written::Taken(login) if login.user_id == user.id => return self.again(draft, login).await,
                Written::Taken(login) => {
                    let owner = self.accounts.user(&login.user_id).await?;
                    // Whoever deletes an account frees its address in the same transaction.
                    return owner
                        .map(|owner| Registered::Taken(Box::new(owner)))
                        .ok_or_else(Problem::contended);
                }
                Written::Outrun if has_key && self.accounts.user(&user.id).await?.is_some() => {
                    return Err(key_reused());
                }
                Written::Outrun => {}
            }
        }
        Err(Problem::contended())
    }

    /// The account that the idempotency key stands for, if the request was the same. Its password tells: no
    /// other trace of the request is kept.
    async fn again(&self, draft: &Draft, login: Login) -> Result<Registered, Problem> {
        let user = self.accounts.user(&login.user_id).await?.ok_or_else(Problem::contended)?;
        let is_same =
            user.version > 1 || user.profile.as_ref().is_some_and(|profile| profile.name == draft.name);
        let stored: Option<&PasswordHash> = Some(&login.password);
        match self.hasher.verify(&draft.password, stored)? {
            Verdict::Right | Verdict::RightAndWeak if is_same => Ok(Registered::Before(Box::new(user))),
            _ => Err(key_reused()),
        }
    }
}

fn key_reused() -> Problem {
    Problem::unprocessable(
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request. Use a new key for a new account.",
    )
}

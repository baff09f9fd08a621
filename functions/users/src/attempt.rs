//! What the routes that check a password have in common: where attempts come from, and the answer to too many.

use std::net::{IpAddr, Ipv6Addr};

use shop_auth::SessionId;
use shop_http::{Code, FieldCode, FieldError, Problem};
use shop_types::Timestamp;

use crate::account::User;
use crate::limits::Wait;
use crate::password::{Hasher, Password, PasswordCheck};
use crate::store::accounts::{AccountStore, Login};
use crate::store::rate_limiter::RateLimiter;

/// The address that an attempt is counted under. All without one are one: none is not counted.
pub(crate) fn source(address: Option<IpAddr>) -> IpAddr {
    address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))
}

/// The same for every level that an attempt is refused at, so that it says of none what is there.
pub(crate) fn too_many_attempts(wait: Wait) -> Problem {
    let detail = "There were too many attempts. Wait, and try again.";
    Problem::too_many_requests(Code::TooManyAttempts, detail, wait.seconds())
}

/// Proves the current password within a session, of a caller who holds a token: strangers' guesses do not count here.
pub(crate) struct Prover {
    pub(crate) limiter: RateLimiter,
    pub(crate) hasher: Hasher,
}

impl Prover {
    /// The user's login, if the password is right.
    ///
    /// # Errors
    /// 422 where it is wrong, 429 after too many wrong ones, 503 where the account changed meanwhile.
    pub(crate) async fn prove(
        &self,
        accounts: &AccountStore,
        user: &User,
        session: Option<&SessionId>,
        password: &Password,
        now: Timestamp,
    ) -> Result<Login, Problem> {
        let Some(profile) = &user.profile else { return Err(Problem::not_found("user")) };
        // Before any work is done, so that no number of attempts at once gets more.
        self.limiter.count_proof(&user.id, session, now).await?.map_err(too_many_attempts)?;
        let login = accounts.login(&profile.login).await?;
        let Some(login) = login.filter(|login| login.user_id == user.id) else {
            // Deleted, or moved to another address, between the two reads.
            return Err(Problem::contended());
        };
        match self.hasher.verify(password, Some(&login.password))? {
            PasswordCheck::Right | PasswordCheck::RightAndWeak => Ok(login),
            PasswordCheck::Wrong => {
                let pointer = "/current_password".to_owned();
                let detail = "This is not the password of the account.".to_owned();
                Err(Problem::invalid(vec![FieldError { pointer, code: FieldCode::WrongPassword, detail }]))
            }
        }
    }
}

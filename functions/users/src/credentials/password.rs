//! Passwords: argon2id (RFC 9106), stored as PHC strings that carry their parameters.
//!
//! Two ways to type one password are one: as RFC 8265's profile `OpaqueString` has it, letters are composed (NFC) and
//! all spaces are one, before it is hashed or compared. What characters may be in one is up to [`shop_types::text`].
//!
//! A hash takes one processor for some 50 ms on purpose. It runs where it is called: a Lambda environment has
//! one request at a time, so a thread of its own would win nothing. A password is wiped when it is dropped,
//! and nothing shows one.

use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _, phc};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use shop_http::{FieldCode, Keyword, Node};
use shop_lambda::{Environment, Internal, StartError};
use shop_types::{EmailAddress, text};
use zeroize::Zeroizing;

use crate::credentials::guessable::{is_common, resembles};

/// Fewer characters can be guessed; more are no password.
const MIN_LENGTH: usize = 12;
const MAX_LENGTH: usize = 128;
/// A letter may be typed as several characters that become one.
const MAX_TYPED: usize = 4 * MAX_LENGTH;

/// The environment variable that says how much memory a hash takes, in KiB.
const MEMORY: &str = "PASSWORD_MEMORY_KIB";
/// OWASP's Password Storage Cheat Sheet: argon2id with at least 19 MiB, two passes and one lane. A function
/// that is told to do less does not start.
const MIN_MEMORY_KIB: u32 = 19_456;
/// What a Lambda environment can hold beside it; more is a mistake in the template.
const MAX_MEMORY_KIB: u32 = 262_144;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A password, prepared to be hashed or compared.
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    /// Reads a password that is to be set: 12 to 128 characters that can be typed, and not among those that are
    /// guessed first.
    #[must_use]
    pub(crate) fn read_new(node: &Node<'_>) -> Option<Self> {
        let typed = Zeroizing::new(node.opaque_text(0..=MAX_TYPED)?);
        node.describe(Keyword::Length(MIN_LENGTH, MAX_TYPED));
        if !typed.is_empty() && text::is_blank(&typed) {
            node.error(FieldCode::Blank, "This must not be blank.");
            return None;
        }
        let Some(prepared) = prepare(&typed) else {
            node.error(FieldCode::ControlCharacter, "There is a character that cannot be seen.");
            return None;
        };
        if !(MIN_LENGTH..=MAX_LENGTH).contains(&prepared.chars().count()) {
            node.error(FieldCode::WrongLength, length());
            return None;
        }
        if is_common(&prepared) {
            node.error(FieldCode::TooCommon, "This is among the passwords that are guessed first.");
            return None;
        }
        Some(Self(prepared))
    }

    /// Reads a password that is to be checked: it may be as short as it likes to be wrong.
    #[must_use]
    pub(crate) fn read_known(node: &Node<'_>) -> Option<Self> {
        let typed = Zeroizing::new(node.opaque_text(1..=MAX_TYPED)?);
        // One that could not be set is a wrong one like any other.
        let prepared = prepare(&typed).unwrap_or(typed);
        if prepared.chars().count() > MAX_LENGTH {
            node.error(FieldCode::WrongLength, format!("There must be 1 to {MAX_LENGTH} characters."));
            return None;
        }
        Some(Self(prepared))
    }

    /// Whether it is little more than the account's address or name.
    #[must_use]
    pub(crate) fn resembles(&self, email: &EmailAddress, name: &str) -> bool {
        resembles(&self.0, email, name)
    }
}

/// What is to be said where a new password [`Password::resembles`] its account: code and detail.
pub(crate) const RESEMBLES_ACCOUNT: (FieldCode, &str) =
    (FieldCode::ResemblesAccount, "This is little more than the account's e-mail address or name.");

/// RFC 8265 section 4.2.2: spaces of other widths become plain ones.
fn prepare(typed: &str) -> Option<Zeroizing<String>> {
    let spaced = |c: char| match c {
        '\u{2028}' | '\u{2029}' => c,
        c if c.is_whitespace() && !c.is_control() => ' ',
        c => c,
    };
    let spaced = Zeroizing::new(typed.chars().map(spaced).collect::<String>());
    text::line(&spaced).ok().map(Zeroizing::new)
}

fn length() -> String {
    format!("There must be {MIN_LENGTH} to {MAX_LENGTH} characters.")
}

/// Shows nothing.
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A password as it is stored: a PHC string. It must not be logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows nothing.
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A hash could not be made or read. Its text says nothing of the password.
#[derive(Debug, thiserror::Error)]
#[error("a password cannot be hashed: {0}")]
pub(crate) struct HashError(String);

impl Internal for HashError {}

impl From<argon2::password_hash::Error> for HashError {
    fn from(error: argon2::password_hash::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<phc::Error> for HashError {
    fn from(error: phc::Error) -> Self {
        Self(error.to_string())
    }
}

/// Whether a password is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PasswordCheck {
    /// It is not, or there is none to compare it with.
    Wrong,
    Right,
    /// It is, and its hash was made with less work than is asked for now: store it anew.
    RightAndWeak,
}

/// Hashes and checks passwords, with the work that the template asks for.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    params: Params,
}

impl Hasher {
    /// The hasher with the memory that `PASSWORD_MEMORY_KIB` names.
    ///
    /// # Errors
    /// The variable is not set, or asks for less work than OWASP's minimum or for more than a function holds.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let text = environment.required(MEMORY)?;
        let invalid = || StartError::InvalidVariable {
            name: MEMORY.to_owned(),
            expected: "a number of KiB from 19456 to 262144",
        };
        Self::with_memory(text.parse().map_err(|_| invalid())?).ok_or_else(invalid)
    }

    fn with_memory(kib: u32) -> Option<Self> {
        if !(MIN_MEMORY_KIB..=MAX_MEMORY_KIB).contains(&kib) {
            return None;
        }
        Params::new(kib, PASSES, LANES, None).ok().map(|params| Self { params })
    }

    /// The hash of a password with a salt of 128 random bits.
    pub(crate) fn hash(&self, password: &Password, salt: [u8; 16]) -> Result<PasswordHash, HashError> {
        let hash: phc::PasswordHash = self.argon2().hash_password_customized(
            password.0.as_bytes(),
            &salt,
            Some(ARGON2ID_IDENT.as_str()),
            Some(Version::default().into()),
            self.params.clone(),
        )?;
        Ok(PasswordHash(hash.to_string()))
    }

    /// Checks a password. Where there is no hash to check it with, the same work is done for nothing, so that the
    /// time says not whether an account is there; and where a wrong one was checked with a hash of less work than is
    /// asked for now, the rest of the work is done.
    pub(crate) fn verify(
        &self,
        password: &Password,
        stored: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, HashError> {
        let Some(stored) = stored else {
            self.hash(password, [0; 16])?;
            return Ok(PasswordCheck::Wrong);
        };
        let hash = phc::PasswordHash::new(&stored.0)?;
        match self.argon2().verify_password(password.0.as_bytes(), &hash) {
            Ok(()) if self.is_weak(&hash)? => Ok(PasswordCheck::RightAndWeak),
            Ok(()) => Ok(PasswordCheck::Right),
            Err(argon2::password_hash::Error::PasswordInvalid) => {
                if let Some(rest) = self.rest_of_work(&Params::try_from(&hash)?) {
                    Self { params: rest }.hash(password, [0; 16])?;
                }
                Ok(PasswordCheck::Wrong)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The work that a hash with these parameters did less than one with ours. Work is memory times passes.
    fn rest_of_work(&self, done: &Params) -> Option<Params> {
        let work = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
        let missing = work(&self.params).checked_sub(work(done))?.div_ceil(u64::from(PASSES));
        let memory = u32::try_from(missing).ok().filter(|&kib| kib > 0)?;
        Params::new(memory.max(Params::MIN_M_COST), PASSES, LANES, None).ok()
    }

    fn is_weak(&self, hash: &phc::PasswordHash) -> Result<bool, HashError> {
        let params = Params::try_from(hash)?;
        Ok(hash.algorithm != ARGON2ID_IDENT
            || params.m_cost() < self.params.m_cost()
            || params.t_cost() < self.params.t_cost())
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::default(), self.params.clone())
    }
}

#[cfg(test)]
pub(crate) mod tests;

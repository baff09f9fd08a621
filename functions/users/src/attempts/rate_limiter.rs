//! Attempts, counted in the sessions table: what [`crate::attempts::limits`] decides by. One item for each bucket, which the
//! table drops (`expires_at`) when it says nothing any more.
//!
//! A bucket is counted by one conditional update. Where somebody else counted in between, what the failed condition
//! returns is decided about anew, so that of any number of attempts at once no more are let through than one by one.

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_auth::SessionId;
use shop_dynamo::{Condition, Item, Record, StoreError, Table, Update, Updated, Write, read};
use shop_lambda::{Environment, StartError};
use shop_types::{Timestamp, UserId};

use crate::attempts::limits::{
    ACCOUNT, ADDRESS, ADDRESS_CHANGES, Backoff, DEVICE, FORMER, Failures, KNOWN_FOR_SECONDS, MAILS_TO, PAIR,
    PROOF, Path, Rate, Seen, Wait,
};
use crate::credentials::blind_index::LoginKey;
use crate::credentials::device::DeviceToken;
use crate::credentials::login::{Login, login_key};
use crate::mail_proofs::mail_request::MailKind;
use crate::table::pair;

/// Of those that count in one bucket at once, one wins each time; a bucket that lets nobody through ends the tries.
/// No pause lies between them: what a failed condition returns is as new as another read.
const TRIES: usize = 128;
const KIND: &str = "attempts";
/// Beyond the time that a bucket is good for: clocks differ.
const MARGIN_SECONDS: i64 = 60;

/// What an attempt to log in is counted under: keyed hashes, and the device's token where there is a genuine one.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) login: LoginKey,
    pub(crate) address: String,
    pub(crate) account: String,
    pub(crate) pair: String,
    pub(crate) device: Option<DeviceToken>,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) login: Option<Login>,
    /// As whom it is tried.
    pub(crate) path: Path,
    seen: Seen,
    /// The bucket of the address and the account.
    pair: Option<BackoffItem>,
}

#[derive(Deserialize)]
struct RateItem {
    empty_at: i64,
}

/// A bucket of a back-off.
#[derive(Clone, Debug, Deserialize)]
struct BackoffItem {
    #[serde(flatten)]
    failures: Failures,
    /// Of a network address and an e-mail address, whose account it was at the last log-in from there, and its epoch, and
    /// until when that counts, in seconds.
    known_user: Option<UserId>,
    known_epoch: Option<u64>,
    known_until: Option<i64>,
}

impl BackoffItem {
    /// The epoch of the last log-in from there to this account. Another one's, which had the e-mail address before, says
    /// nothing.
    fn known_epoch(&self, login: Option<&Login>, now: Timestamp) -> Option<u64> {
        let is_known = self.known_until.is_some_and(|until| now.as_secs() < until);
        let is_same = login.is_some_and(|login| self.known_user.as_ref() == Some(&login.user_id));
        self.known_epoch.filter(|_| is_known && is_same)
    }
}

impl Record for RateItem {
    const KIND: &'static str = KIND;
}

impl Record for BackoffItem {
    const KIND: &'static str = KIND;
}

impl From<Failures> for BackoffItem {
    fn from(failures: Failures) -> Self {
        Self { failures, known_user: None, known_epoch: None, known_until: None }
    }
}

/// Limits the rate of attempts to log in, of proofs of a password, and of registrations.
#[derive(Clone, Debug)]
pub(crate) struct RateLimiter {
    table: Table,
}

impl RateLimiter {
    /// The store in the table that `SESSIONS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "SESSIONS_TABLE", "pk")? })
    }

    /// The login that an attempt is about, and all of its buckets, in one call, whatever there is.
    pub(crate) async fn find(&self, attempt: &Attempt, now: Timestamp) -> Result<Found, StoreError> {
        let (address, account, pair) =
            (key("address", &attempt.address), key("account", &attempt.account), key("pair", &attempt.pair));
        let mut keys = vec![login_key(&attempt.login), address.clone(), account.clone(), pair.clone()];
        let of_device = attempt.device.as_ref().map(|token| (device_key(token), former_key(token.user())));
        keys.extend(of_device.clone().into_iter().flat_map(|(device, former)| [device, former]));
        let (mut login, mut pair_item, mut seen) = (None::<Login>, None::<BackoffItem>, Seen::default());
        for mut item in self.table.get_all(&keys).await? {
            let found: Item = ["pk", "sk"].into_iter().filter_map(|name| item.remove_entry(name)).collect();
            let rate = |item| read::<RateItem>(KIND, item).map(|rate| Some(rate.empty_at));
            if found == login_key(&attempt.login) {
                login = Some(read(Login::KIND, item)?);
            } else if found == address {
                seen.address = rate(item)?;
            } else if found == account {
                seen.account = rate(item)?;
            } else if found == pair {
                pair_item = Some(read(KIND, item)?);
                seen.pair = pair_item.as_ref().map(|item| item.failures);
            } else if of_device.as_ref().is_some_and(|(device, _)| found == *device) {
                seen.device = Some(read::<BackoffItem>(KIND, item)?.failures);
            } else {
                seen.former = rate(item)?;
            }
        }
        let epoch = login.as_ref().map(|login| login.session_epoch);
        // Another account's token says nothing here.
        let is_owner =
            |token: &&DeviceToken| login.as_ref().is_some_and(|login| login.user_id == *token.user());
        let device = attempt.device.as_ref().filter(is_owner).map(DeviceToken::epoch);
        let known = pair_item.as_ref().and_then(|item| item.known_epoch(login.as_ref(), now));
        Ok(Found { path: Path::of(epoch, device, known), login, seen, pair: pair_item })
    }

    /// Counts an attempt, or says how long none may be made; then nothing is counted.
    ///
    /// # Errors
    /// See [`StoreError`]; some of it may be counted.
    pub(crate) async fn count(
        &self,
        attempt: &Attempt,
        found: &Found,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        let Found { path, seen, .. } = found;
        if let Err(wait) = seen.check(*path, now.as_millis()) {
            return Ok(Err(wait));
        }
        let pair = || self.count_failure(key("pair", &attempt.pair), PAIR, found.pair.clone(), now);
        match (path, &attempt.device) {
            (Path::Device, Some(token)) => {
                let before = seen.device.map(BackoffItem::from);
                self.count_failure(device_key(token), DEVICE, before, now).await
            }
            (Path::Former, Some(token)) => {
                self.count_one(former_key(token.user()), FORMER, seen.former, now).await
            }
            (Path::Known, _) => pair().await,
            // One after the other, the narrowest first: in a race that one loses it uses up nothing of the others.
            (Path::Stranger | Path::Device | Path::Former, _) => {
                let levels = [
                    ("address", &attempt.address, ADDRESS, seen.address),
                    ("account", &attempt.account, ACCOUNT, seen.account),
                ];
                if let Err(wait) = pair().await? {
                    return Ok(Err(wait));
                }
                for (kind, whose, rate, empty_at) in levels {
                    if let Err(wait) = self.count_one(key(kind, whose), rate, empty_at, now).await? {
                        return Ok(Err(wait));
                    }
                }
                Ok(Ok(()))
            }
        }
    }

    /// The writes that take a right password off again, and remember where it came from, for the transaction that
    /// stores the session.
    #[must_use]
    pub(crate) fn give_back(
        &self,
        attempt: &Attempt,
        path: Path,
        login: &Login,
        now: Timestamp,
    ) -> Vec<Write> {
        let pair =
            || self.forget(key("pair", &attempt.pair), now.as_secs() + KNOWN_FOR_SECONDS, now, Some(login));
        let updates = match (path, &attempt.device) {
            (Path::Device, Some(token)) => {
                let end = DEVICE.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
                vec![self.forget(device_key(token), end, now, None)]
            }
            (Path::Former, Some(token)) => vec![self.take_off(former_key(token.user()), FORMER, now)],
            (Path::Known, _) => vec![pair()],
            (Path::Stranger | Path::Device | Path::Former, _) => vec![
                pair(),
                self.take_off(key("address", &attempt.address), ADDRESS, now),
                self.take_off(key("account", &attempt.account), ACCOUNT, now),
            ],
        };
        updates.into_iter().map(Write::from).collect()
    }

    /// Counts an attempt to prove one's password within a session, or says how long none may be made.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be counted.
    pub(crate) async fn count_proof(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        // Its state is read by the first try's failed condition: most proofs are the first of a session.
        self.count_failure(proof_key(user, session), PROOF, None, now).await
    }

    /// The write that takes a right password within a session off again.
    #[must_use]
    pub(crate) fn give_back_proof(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        now: Timestamp,
    ) -> Update {
        let end = PROOF.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
        self.forget(proof_key(user, session), end, now, None)
    }

    /// Takes a right password within a session off again, where nothing else is written.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be taken off.
    pub(crate) async fn forget_proof(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The write has no condition, so there is no refusal to look at: it is done, or the call failed.
        self.table.update_if::<BackoffItem>(self.give_back_proof(user, session, now)).await.map(drop)
    }

    /// Counts a change of an account's e-mail address, or says how long there may be none.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be counted.
    pub(crate) async fn count_address_change(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        self.count_one(key("address-change", user.as_str()), ADDRESS_CHANGES, None, now).await
    }

    /// Counts a registration from an address, or says how long none may be made.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be counted.
    pub(crate) async fn count_registration(
        &self,
        address: &str,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        self.count_one(key("registration", address), rate, None, now).await
    }

    /// Counts a request for a mail from a network address, or says how long there may be none.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be counted.
    pub(crate) async fn count_reset_from(
        &self,
        address: &str,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        self.count_one(key("reset-from", address), rate, None, now).await
    }

    /// Counts a mail of a kind to somebody, or says how long there may be none.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be counted.
    pub(crate) async fn count_mail(
        &self,
        kind: MailKind,
        whom: &str,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        self.count_one(key(&format!("mail-{}", kind.as_str()), whom), MAILS_TO, None, now).await
    }

    /// Counts one in a bucket of a rate. `empty_at` is what is known of it.
    async fn count_one(
        &self,
        key: Item,
        rate: Rate,
        mut empty_at: Option<i64>,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        let millis = now.as_millis();
        for _ in 0..TRIES {
            if let Err(wait) = rate.check(empty_at, millis) {
                return Ok(Err(wait));
            }
            let end = rate.forgotten_at(millis) / 1000 + MARGIN_SECONDS;
            let update = self.table.update(key.clone()).set("expires_at", end);
            let update = if empty_at.is_some_and(|at| at > millis) {
                let has_room = Condition::of("empty_at > :now AND empty_at <= :latest");
                let has_room = has_room.with("now", millis).with("latest", rate.latest(millis));
                update.add("empty_at", rate.interval()).only_if(has_room)
            } else {
                let is_empty = Condition::of("attribute_not_exists(empty_at) OR empty_at <= :now");
                let update = update.set("empty_at", millis + rate.interval());
                update.only_if(is_empty.with("now", millis))
            };
            empty_at = match self.table.update_if(update).await? {
                Updated::Done => return Ok(Ok(())),
                Updated::Changed(RateItem { empty_at }) => Some(empty_at),
                Updated::Absent => None,
            };
        }
        Err(StoreError::Contended { kind: KIND })
    }

    /// Counts one in a bucket of a back-off. `before` is what is known of it.
    async fn count_failure(
        &self,
        key: Item,
        backoff: Backoff,
        mut before: Option<BackoffItem>,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        for _ in 0..TRIES {
            let failures = before.as_ref().map(|before| before.failures);
            let after = match backoff.count(failures, now.as_millis()) {
                Ok(after) => after,
                Err(wait) => return Ok(Err(wait)),
            };
            let end = backoff.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
            // An address that is known stays so for longer than its failures are remembered, until its time is almost over.
            let end =
                before.as_ref().and_then(|before| before.known_until).map_or(end, |until| until.max(end));
            let as_before = match failures {
                None => Condition::absent("failures"),
                Some(before) => Condition::equals("failures", before.failures)
                    .and(Condition::equals("failed_at", before.failed_at)),
            };
            let update = self
                .table
                .update(key.clone())
                .set("failures", after.failures)
                .set("failed_at", after.failed_at)
                .set("expires_at", end)
                .only_if(as_before);
            before = match self.table.update_if(update).await? {
                Updated::Done => return Ok(Ok(())),
                Updated::Changed(stored) => Some(stored),
                Updated::Absent => None,
            };
        }
        Err(StoreError::Contended { kind: KIND })
    }

    /// Sets a back-off to no failures; with a login, its address is known from now on.
    fn forget(&self, key: Item, end: i64, now: Timestamp, login: Option<&Login>) -> Update {
        let forget = self.table.update(key).set("failures", 0_u32).set("failed_at", now.as_millis());
        let forget = forget.set("expires_at", end);
        match login {
            None => forget,
            Some(login) => forget
                .set("known_until", end)
                .set("known_user", &login.user_id)
                .set("known_epoch", login.session_epoch),
        }
    }

    fn take_off(&self, key: Item, rate: Rate, now: Timestamp) -> Update {
        let end = rate.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
        self.table
            .update(key)
            // The table may have dropped it meanwhile.
            .set_to("empty_at", "if_not_exists(empty_at, :now) - :interval")
            .with("now", now.as_millis())
            .with("interval", rate.interval())
            .set("expires_at", end)
    }
}

fn key(kind: &str, whose: &str) -> Item {
    pair(&format!("attempts#{kind}#{whose}"), "attempts")
}

fn device_key(token: &DeviceToken) -> Item {
    key("device", &token.nonce())
}

fn former_key(user: &UserId) -> Item {
    key("former", user.as_str())
}

fn proof_key(user: &UserId, session: Option<&SessionId>) -> Item {
    key("proof", &format!("{user}#{}", session.map(SessionId::as_str).unwrap_or_default()))
}

//! Attempts, counted in the sessions table: what [`crate::limits`] decides by. One item for each bucket, which the
//! table drops (`expires_at`) when it says nothing any more.
//!
//! A bucket is counted by one conditional update. Where somebody else counted in between, what the failed condition
//! returns is decided about anew, so that of any number of attempts at once no more are let through than one by one.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use serde::Deserialize;
use shop_auth::SessionId;
use shop_dynamo::{Item, StoreError, batch_get_items, condition_failed, number, read, string};
use shop_lambda::{Environment, StartError};
use shop_types::{Timestamp, UserId};

use super::accounts::{Login, login_key};
use crate::device::DeviceToken;
use crate::limits::{
    ACCOUNT, ADDRESS, Backoff, DEVICE, FORMER, Failures, KNOWN_FOR_SECONDS, PAIR, PROOF, Path, Rate, Seen,
    Wait,
};
use crate::lookup::LoginKey;

/// Of those that count in one bucket at once, one wins each time; a bucket that lets nobody through ends the tries.
const TRIES: usize = 128;
const KIND: &str = "attempts";
/// Beyond the time that a bucket is good for: clocks differ.
const MARGIN_SECONDS: i64 = 60;

/// What an attempt to log in is counted under: keyed hashes, and the device's token where there is a genuine one.
#[derive(Debug)]
pub struct Attempt {
    /// The login that is tried.
    pub login: LoginKey,
    /// The address.
    pub address: String,
    /// The account.
    pub account: String,
    /// The address and the account.
    pub pair: String,
    /// The device's token.
    pub device: Option<DeviceToken>,
}

/// What an attempt found.
#[derive(Debug)]
pub struct Found {
    /// The login, if there is one.
    pub login: Option<Login>,
    /// As whom it is tried.
    pub path: Path,
    seen: Seen,
}

#[derive(Deserialize)]
struct RateItem {
    empty_at: i64,
}

#[derive(Deserialize)]
struct PairItem {
    #[serde(flatten)]
    failures: Failures,
    /// The account's epoch at the last log-in from there, and until when that counts, in seconds.
    known_epoch: Option<u64>,
    known_until: Option<i64>,
}

/// Counts attempts.
#[derive(Clone, Debug)]
pub struct AttemptStore {
    client: Client,
    table: String,
}

impl AttemptStore {
    /// The store in the table that `SESSIONS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { client, table: environment.required("SESSIONS_TABLE")?.to_owned() })
    }

    /// The login that an attempt is about, and all of its buckets, in one call, whatever there is.
    ///
    /// # Errors
    /// DynamoDB failed, or kept throttling.
    pub async fn find(&self, attempt: &Attempt, now: Timestamp) -> Result<Found, StoreError> {
        let (address, account, pair) =
            (key("address", &attempt.address), key("account", &attempt.account), key("pair", &attempt.pair));
        let mut keys = vec![login_key(&attempt.login), address.clone(), account.clone(), pair.clone()];
        let of_device = attempt.device.as_ref().map(|token| (device_key(token), former_key(token.user())));
        keys.extend(of_device.clone().into_iter().flat_map(|(device, former)| [device, former]));
        let (mut login, mut known, mut seen) = (None::<Login>, None, Seen::default());
        for mut item in batch_get_items(&self.client, &self.table, keys).await? {
            let found: Item = ["pk", "sk"].into_iter().filter_map(|name| item.remove_entry(name)).collect();
            let rate = |item| read::<RateItem>(KIND, item).map(|rate| Some(rate.empty_at));
            if found == login_key(&attempt.login) {
                login = Some(read("login", item)?);
            } else if found == address {
                seen.address = rate(item)?;
            } else if found == account {
                seen.account = rate(item)?;
            } else if found == pair {
                let pair: PairItem = read(KIND, item)?;
                let is_known = pair.known_until.is_some_and(|until| now.as_secs() < until);
                (seen.pair, known) = (Some(pair.failures), pair.known_epoch.filter(|_| is_known));
            } else if of_device.as_ref().is_some_and(|(device, _)| found == *device) {
                seen.device = Some(read(KIND, item)?);
            } else {
                seen.former = rate(item)?;
            }
        }
        let epoch = login.as_ref().map(|login| login.session_epoch);
        // Another account's token says nothing here.
        let is_owner =
            |token: &&DeviceToken| login.as_ref().is_some_and(|login| login.user_id == *token.user());
        let device = attempt.device.as_ref().filter(is_owner).map(DeviceToken::epoch);
        Ok(Found { path: Path::of(epoch, device, known), login, seen })
    }

    /// Counts an attempt, or says how long none may be made; then nothing is counted.
    ///
    /// # Errors
    /// DynamoDB failed; some of it may be counted.
    pub async fn count(
        &self,
        attempt: &Attempt,
        found: &Found,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        let Found { path, seen, .. } = found;
        if let Err(wait) = seen.check(*path, now.as_millis()) {
            return Ok(Err(wait));
        }
        let pair = || self.count_failure(key("pair", &attempt.pair), PAIR, seen.pair, now);
        match (path, &attempt.device) {
            (Path::Device, Some(token)) => {
                self.count_failure(device_key(token), DEVICE, seen.device, now).await
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
    ///
    /// # Errors
    /// None, unless the SDK refuses a complete request.
    pub fn give_back(
        &self,
        attempt: &Attempt,
        path: Path,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let pair =
            || self.forget(key("pair", &attempt.pair), now.as_secs() + KNOWN_FOR_SECONDS, now, Some(epoch));
        match (path, &attempt.device) {
            (Path::Device, Some(token)) => {
                let end = DEVICE.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
                Ok(vec![self.forget(device_key(token), end, now, None)?])
            }
            (Path::Former, Some(token)) => Ok(vec![self.take_off(former_key(token.user()), FORMER, now)?]),
            (Path::Known, _) => Ok(vec![pair()?]),
            (Path::Stranger | Path::Device | Path::Former, _) => Ok(vec![
                pair()?,
                self.take_off(key("address", &attempt.address), ADDRESS, now)?,
                self.take_off(key("account", &attempt.account), ACCOUNT, now)?,
            ]),
        }
    }

    /// Counts an attempt to prove one's password within a session, or says how long none may be made.
    ///
    /// # Errors
    /// DynamoDB failed; it may be counted.
    pub async fn count_proof(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        // Its state is read by the first try's failed condition: most proofs are the first of a session.
        self.count_failure(proof_key(user, session), PROOF, None, now).await
    }

    /// The write that takes a right password within a session off again.
    ///
    /// # Errors
    /// None, unless the SDK refuses a complete request.
    pub fn give_back_proof(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let end = PROOF.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
        self.forget(proof_key(user, session), end, now, None)
    }

    /// Counts a registration from an address, or says how long none may be made.
    ///
    /// # Errors
    /// DynamoDB failed; it may be counted.
    pub async fn count_registration(
        &self,
        address: &str,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        self.count_one(key("registration", address), rate, None, now).await
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
            let update = self.update(&key).expression_attribute_values(":end", number(end));
            let update = update.expression_attribute_values(":now", number(millis));
            let update = if empty_at.is_some_and(|at| at > millis) {
                update
                    .update_expression("SET expires_at = :end, empty_at = empty_at + :interval")
                    .condition_expression("empty_at > :now AND empty_at <= :latest")
                    .expression_attribute_values(":interval", number(rate.interval()))
                    .expression_attribute_values(":latest", number(rate.latest(millis)))
            } else {
                update
                    .update_expression("SET expires_at = :end, empty_at = :next")
                    .condition_expression("attribute_not_exists(empty_at) OR empty_at <= :now")
                    .expression_attribute_values(":next", number(millis + rate.interval()))
            };
            let Err(error) = update.send().await else { return Ok(Ok(())) };
            let stored: Option<RateItem> =
                condition_failed(error)?.map(|item| read(KIND, item)).transpose()?;
            empty_at = stored.map(|stored| stored.empty_at);
        }
        Err(StoreError::Contended { kind: KIND })
    }

    /// Counts one in a bucket of a back-off. `before` is what is known of it.
    async fn count_failure(
        &self,
        key: Item,
        backoff: Backoff,
        mut before: Option<Failures>,
        now: Timestamp,
    ) -> Result<Result<(), Wait>, StoreError> {
        for _ in 0..TRIES {
            let after = match backoff.count(before, now.as_millis()) {
                Ok(after) => after,
                Err(wait) => return Ok(Err(wait)),
            };
            let end = backoff.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
            let update = self
                .update(&key)
                // An address that is known stays so for longer than its failures are remembered.
                .update_expression(
                    "SET failures = :failures, failed_at = :at, expires_at = if_not_exists(known_until, :end)",
                )
                .expression_attribute_values(":failures", number(after.failures))
                .expression_attribute_values(":at", number(after.failed_at))
                .expression_attribute_values(":end", number(end));
            let update = match before {
                None => update.condition_expression("attribute_not_exists(failures)"),
                Some(before) => update
                    .condition_expression("failures = :before AND failed_at = :before_at")
                    .expression_attribute_values(":before", number(before.failures))
                    .expression_attribute_values(":before_at", number(before.failed_at)),
            };
            let Err(error) = update.send().await else { return Ok(Ok(())) };
            before = condition_failed(error)?.map(|item| read(KIND, item)).transpose()?;
        }
        Err(StoreError::Contended { kind: KIND })
    }

    fn update(&self, key: &Item) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.table).set_key(Some(key.clone()));
        update.return_values_on_condition_check_failure(AllOld)
    }

    /// Sets a back-off to no failures; with an epoch, its address is known from now on.
    fn forget(
        &self,
        key: Item,
        end: i64,
        now: Timestamp,
        known_epoch: Option<u64>,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":at", number(now.as_millis()))
            .expression_attribute_values(":end", number(end));
        let forget = "SET failures = :none, failed_at = :at, expires_at = :end";
        transact(match known_epoch {
            None => update.update_expression(forget),
            Some(epoch) => update
                .update_expression(format!("{forget}, known_until = :end, known_epoch = :epoch"))
                .expression_attribute_values(":epoch", AttributeValue::N(epoch.to_string())),
        })
    }

    fn take_off(&self, key: Item, rate: Rate, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let end = rate.forgotten_at(now.as_millis()) / 1000 + MARGIN_SECONDS;
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            // The table may have dropped it meanwhile.
            .update_expression("SET empty_at = if_not_exists(empty_at, :now) - :interval, expires_at = :end")
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":interval", number(rate.interval()))
            .expression_attribute_values(":end", number(end));
        transact(update)
    }
}

fn transact(
    update: aws_sdk_dynamodb::types::builders::UpdateBuilder,
) -> Result<TransactWriteItem, StoreError> {
    let update = update.build().map_err(StoreError::call("TransactWriteItems"))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

fn key(kind: &str, whose: &str) -> Item {
    let pk = format!("attempts#{kind}#{whose}");
    Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string("attempts"))])
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

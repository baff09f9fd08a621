//! The key table: one item with the public half of each signing key. It must never hold a private one.
//!
//! One key is active: the one that is signed with. When another becomes active, the key that was gets a time
//! after which it is not accepted any more and its entry goes, so that a rotation ends nobody's session.

use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use data_encoding::BASE64URL_NOPAD;
use schemars::JsonSchema;
use serde::Serialize;
use shop_dynamo::{Batch, CallError, Item, Read, StoreError, Table, Wanted};
use shop_lambda::{Internal, Random};

use crate::claims::ACCESS_TOKEN_LIFETIME_SECONDS;

/// The table's only item.
const ITEM_ID: &str = "signing-keys";
const KEYS: &str = "public_keys";
const RETIREMENTS: &str = "retire_at";

/// How long a function may go on signing with a secret that it cannot read anew.
pub const SIGNING_KEY_MAX_AGE_SECONDS: i64 = 900;
/// How long a key is accepted after another has become the active one: for as long as a function may sign with it,
/// and the life of a token on top.
pub const RETIREMENT_SECONDS: i64 = SIGNING_KEY_MAX_AGE_SECONDS + ACCESS_TOKEN_LIFETIME_SECONDS;

/// An Ed25519 public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(pub(crate) [u8; 32]);

/// A key of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublishedKey {
    pub(crate) key: PublicKey,
    /// From this second on it is not accepted; absent for the active key.
    pub(crate) retire_at: Option<i64>,
}

impl PublishedKey {
    pub(crate) fn is_accepted(&self, now: i64) -> bool {
        self.retire_at.is_none_or(|at| now < at)
    }
}

/// The key table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyTableError {
    /// A call failed, or was throttled.
    #[error("a call on the key table failed")]
    Call(#[from] StoreError),
    /// The item is not what this module writes.
    #[error("the key table's item is malformed")]
    Malformed,
}

impl Internal for KeyTableError {}

impl KeyTableError {
    /// Wraps a failed call: `.map_err(KeyTableError::call("GetItem"))`.
    pub(crate) fn call<E: CallError>(operation: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Call(StoreError::call(operation)(source))
    }
}

/// A public key as RFC 8037 section 2 writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    kid: String,
    x: String,
}

/// All keys that are accepted, as RFC 7517 section 5 writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// The key table.
#[derive(Clone, Debug)]
pub struct KeyTable {
    client: Client,
    table: Table,
}

impl KeyTable {
    /// The table of a name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, random: Random) -> Self {
        Self { table: Table::new(client.clone(), name, "id", random), client }
    }

    /// The keys that are accepted now, for others to check our tokens with.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn jwks(&self) -> Result<JwkSet, KeyTableError> {
        let now = self.now();
        let keys = self.read().await?.into_iter().filter(|(_, key)| key.is_accepted(now));
        let jwk = |(kid, key): (String, PublishedKey)| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            purpose: "sig",
            alg: "EdDSA",
            kid,
            x: BASE64URL_NOPAD.encode(&key.key.0),
        };
        Ok(JwkSet { keys: keys.map(jwk).collect() })
    }

    /// All public keys by their id; none where no key has been published yet.
    pub(crate) async fn read(&self) -> Result<BTreeMap<String, PublishedKey>, KeyTableError> {
        let answer = self
            .client
            .get_item()
            .table_name(self.table.name())
            .key("id", AttributeValue::S(ITEM_ID.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(KeyTableError::call("GetItem"))?;
        answer.item.map_or(Ok(BTreeMap::new()), |item| keys_of(&item))
    }

    /// Reads this table, and what is wanted of another one, in one call.
    pub(crate) async fn read_with(&self, other: Wanted) -> Result<Batch, KeyTableError> {
        let key = Item::from([("id".to_owned(), AttributeValue::S(ITEM_ID.to_owned()))]);
        Ok(self.table.batch_get([self.table.wanted(vec![key], Read::Consistent), other]).await?)
    }

    /// The keys that such a batch has found.
    pub(crate) fn found(&self, batch: &mut Batch) -> Result<BTreeMap<String, PublishedKey>, KeyTableError> {
        let item = batch.items_of(&self.table).into_iter().next();
        item.map_or(Ok(BTreeMap::new()), |item| keys_of(&item))
    }

    /// Makes a key the active one. The other keys keep the time that they have, or get one; those whose time
    /// has come are dropped. It is one call where nothing is to be changed.
    pub(crate) async fn activate(&self, kid: &str, key: &PublicKey) -> Result<(), KeyTableError> {
        let published = if let Some(published) = self.put(kid, key).await? {
            published
        } else {
            self.make_maps().await?;
            self.put(kid, key).await?.ok_or(KeyTableError::Malformed)?
        };
        self.retire(published.into_iter().filter(|(other, _)| other != kid).collect()).await
    }

    /// Sets a key, and takes its retirement back. None where the item is not there yet: an entry can only be
    /// set in a map that exists.
    async fn put(
        &self,
        kid: &str,
        key: &PublicKey,
    ) -> Result<Option<BTreeMap<String, PublishedKey>>, KeyTableError> {
        let answer = self
            .update()
            .update_expression("SET #keys.#kid = :key REMOVE #retirements.#kid")
            .condition_expression("attribute_exists(#keys) AND attribute_exists(#retirements)")
            .expression_attribute_names("#kid", kid)
            .expression_attribute_values(":key", AttributeValue::S(BASE64URL_NOPAD.encode(&key.0)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer {
            Ok(answer) => keys_of(&answer.attributes.unwrap_or_default()).map(Some),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(None)
            }
            Err(source) => Err(failed(source)),
        }
    }

    async fn make_maps(&self) -> Result<(), KeyTableError> {
        let update = self
            .update()
            // A value of its own for each: MiniStack makes one value that is used twice one map under two names.
            .update_expression(
                "SET #keys = if_not_exists(#keys, :keys), #retirements = if_not_exists(#retirements, :retirements)",
            )
            .expression_attribute_values(":keys", AttributeValue::M(HashMap::new()))
            .expression_attribute_values(":retirements", AttributeValue::M(HashMap::new()));
        update.send().await.map(drop).map_err(failed)
    }

    async fn retire(&self, others: BTreeMap<String, PublishedKey>) -> Result<(), KeyTableError> {
        let now = self.now();
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        let mut update = self.item();
        for (index, (kid, other)) in others.into_iter().enumerate() {
            let name = format!("#kid{index}");
            match other.retire_at {
                None => set.push(format!("#retirements.{name} = if_not_exists(#retirements.{name}, :at)")),
                Some(at) if at <= now => {
                    remove.extend([format!("#keys.{name}"), format!("#retirements.{name}")]);
                }
                Some(_) => continue,
            }
            update = update.expression_attribute_names(name, kid);
        }
        if set.is_empty() && remove.is_empty() {
            return Ok(());
        }
        let mut clauses = Vec::new();
        if !set.is_empty() {
            clauses.push(format!("SET {}", set.join(", ")));
            let at = AttributeValue::N((now + RETIREMENT_SECONDS).to_string());
            update = update.expression_attribute_values(":at", at);
        }
        if !remove.is_empty() {
            clauses.push(format!("REMOVE {}", remove.join(", ")));
            // DynamoDB refuses a name that is declared and not used.
            update = update.expression_attribute_names("#keys", KEYS);
        }
        update = update.expression_attribute_names("#retirements", RETIREMENTS);
        update.update_expression(clauses.join(" ")).send().await.map(drop).map_err(failed)
    }

    fn item(&self) -> UpdateItemFluentBuilder {
        let id = AttributeValue::S(ITEM_ID.to_owned());
        self.client.update_item().table_name(self.table.name()).key("id", id)
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        self.item()
            .expression_attribute_names("#keys", KEYS)
            .expression_attribute_names("#retirements", RETIREMENTS)
    }

    /// Seconds since the epoch, by the clock that signs the client's calls.
    fn now(&self) -> i64 {
        let now = self.client.config().time_source().map_or_else(SystemTime::now, |source| source.now());
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }
}

fn failed(source: SdkError<UpdateItemError>) -> KeyTableError {
    KeyTableError::call("UpdateItem")(source)
}

fn keys_of(item: &Item) -> Result<BTreeMap<String, PublishedKey>, KeyTableError> {
    let map = |name: &str| item.get(name).and_then(|value| value.as_m().ok());
    let keys = map(KEYS).ok_or(KeyTableError::Malformed)?;
    keys.iter()
        .map(|(kid, value)| {
            let text = value.as_s().map_err(|_| KeyTableError::Malformed)?;
            let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| KeyTableError::Malformed)?;
            let key = PublicKey(bytes.try_into().map_err(|_| KeyTableError::Malformed)?);
            let retire_at = map(RETIREMENTS).and_then(|times| times.get(kid)).map(|time| {
                let text = time.as_n().map_err(|_| KeyTableError::Malformed)?;
                text.parse().map_err(|_| KeyTableError::Malformed)
            });
            Ok((kid.clone(), PublishedKey { key, retire_at: retire_at.transpose()? }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(keys: &[(&str, u8)], retirements: &[(&str, i64)]) -> Item {
        let key = |n: u8| AttributeValue::S(BASE64URL_NOPAD.encode(&[n; 32]));
        let keys = keys.iter().map(|(kid, n)| ((*kid).to_owned(), key(*n))).collect();
        let times =
            retirements.iter().map(|(kid, at)| ((*kid).to_owned(), AttributeValue::N(at.to_string())));
        HashMap::from([
            (KEYS.to_owned(), AttributeValue::M(keys)),
            (RETIREMENTS.to_owned(), AttributeValue::M(times.collect())),
        ])
    }

    #[test]
    fn a_retired_key_is_accepted_until_its_time() {
        let keys = keys_of(&item(&[("old", 1), ("new", 2)], &[("old", 100)])).unwrap();
        assert!(keys["old"].is_accepted(99) && !keys["old"].is_accepted(100));
        assert!(keys["new"].is_accepted(i64::MAX));
    }

    #[test]
    fn an_item_of_before_there_were_retirements_is_read_and_others_are_malformed() {
        let mut old = item(&[("a", 1)], &[]);
        old.remove(RETIREMENTS);
        assert_eq!(keys_of(&old).unwrap()["a"].retire_at, None);
        assert!(keys_of(&Item::new()).is_err());
        let broken = HashMap::from([(
            KEYS.to_owned(),
            AttributeValue::M(HashMap::from([("a".to_owned(), AttributeValue::S("AAAA".to_owned()))])),
        )]);
        assert!(keys_of(&broken).is_err());
    }
}

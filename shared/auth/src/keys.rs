//! The key table: one item with the public half of each signing key. It must never hold a private one.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;

/// The table's only item.
const ITEM_ID: &str = "signing-keys";
const KEYS: &str = "public_keys";

/// An Ed25519 public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(pub(crate) [u8; 32]);

/// The key table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyTableError {
    #[error("DynamoDB {operation} on the key table failed")]
    Call {
        operation: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the key table's item is malformed")]
    Malformed,
}

#[derive(Clone, Debug)]
pub(crate) struct KeyTable {
    client: Client,
    name: String,
}

impl KeyTable {
    pub(crate) fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// All public keys by their id; none where no key has been published yet.
    pub(crate) async fn read(&self) -> Result<BTreeMap<String, PublicKey>, KeyTableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("id", AttributeValue::S(ITEM_ID.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|source| KeyTableError::Call { operation: "GetItem", source: Box::new(source) })?;
        let Some(item) = answer.item else { return Ok(BTreeMap::new()) };
        let keys = item.get(KEYS).and_then(|keys| keys.as_m().ok()).ok_or(KeyTableError::Malformed)?;
        keys.iter()
            .map(|(kid, value)| {
                let text = value.as_s().map_err(|_| KeyTableError::Malformed)?;
                let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| KeyTableError::Malformed)?;
                let key = bytes.try_into().map_err(|_| KeyTableError::Malformed)?;
                Ok((kid.clone(), PublicKey(key)))
            })
            .collect()
    }

    /// Adds a key; a key that is there already stays as it is.
    pub(crate) async fn add(&self, kid: &str, key: &PublicKey) -> Result<(), KeyTableError> {
        let failed = |source| KeyTableError::Call { operation: "UpdateItem", source };
        let update = || {
            self.client
                .update_item()
                .table_name(&self.name)
                .key("id", AttributeValue::S(ITEM_ID.to_owned()))
                .expression_attribute_names("#keys", KEYS)
        };
        // A map entry can only be set in a map that exists.
        update()
            .update_expression("SET #keys = if_not_exists(#keys, :none)")
            .expression_attribute_values(":none", AttributeValue::M(HashMap::new()))
            .send()
            .await
            .map_err(|source| failed(Box::new(source)))?;
        update()
            .update_expression("SET #keys.#kid = :key")
            .expression_attribute_names("#kid", kid)
            .expression_attribute_values(":key", AttributeValue::S(BASE64URL_NOPAD.encode(&key.0)))
            .send()
            .await
            .map_err(|source| failed(Box::new(source)))?;
        Ok(())
    }
}

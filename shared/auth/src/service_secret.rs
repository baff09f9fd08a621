//! A secret that a service makes for itself: 32 random bytes in a table that only its own functions may read.
//!
//! It is read in the call that reads the signing keys, so it costs no function another call at its start. It
//! must stay as it is: what was derived from it is out in the world.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use shop_dynamo::{Batch, Item, Read, Table, Wanted};
use shop_lambda::Random;

use crate::keys::KeyTableError;

const ITEM_ID: &str = "secret";
const BYTES: &str = "bytes";

/// A service's secret, as far as this environment knows it.
#[derive(Clone)]
pub struct ServiceSecret {
    client: Client,
    table: Table,
    random: Random,
    known: Arc<OnceLock<[u8; 32]>>,
}

impl ServiceSecret {
    /// The secret in the table of a name. It is not read yet.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, random: Random) -> Self {
        let table = Table::new(client.clone(), table, "id", random.clone());
        Self { client, table, random, known: Arc::default() }
    }

    /// The secret; none where it was never made. A call only where this environment does not know it yet.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn get(&self) -> Result<Option<[u8; 32]>, KeyTableError> {
        if let Some(bytes) = self.known.get() {
            return Ok(Some(*bytes));
        }
        self.found(&mut self.table.batch_get([self.wanted()]).await?)
    }

    /// The secret, made now if it was never made. Of many who make it at once, one does.
    ///
    /// # Errors
    /// The table cannot be read or written.
    pub async fn get_or_make(&self) -> Result<[u8; 32], KeyTableError> {
        if let Some(bytes) = self.known.get() {
            return Ok(*bytes);
        }
        let update = self
            .client
            .update_item()
            .table_name(self.table.name())
            .key("id", AttributeValue::S(ITEM_ID.to_owned()))
            .update_expression("SET #bytes = if_not_exists(#bytes, :new)")
            .expression_attribute_names("#bytes", BYTES)
            .expression_attribute_values(":new", AttributeValue::B(Blob::new(self.random.bytes::<32>())))
            .return_values(ReturnValue::AllNew);
        let answer = update.send().await.map_err(KeyTableError::call("UpdateItem"))?;
        self.learn(answer.attributes.into_iter().collect())?.ok_or(KeyTableError::Malformed)
    }

    /// What a batch has to ask for.
    pub(crate) fn wanted(&self) -> Wanted {
        let key = Item::from([("id".to_owned(), AttributeValue::S(ITEM_ID.to_owned()))]);
        self.table.wanted(vec![key], Read::Consistent)
    }

    /// Takes what a batch has found.
    pub(crate) fn found(&self, batch: &mut Batch) -> Result<Option<[u8; 32]>, KeyTableError> {
        self.learn(batch.items_of(&self.table))
    }

    fn learn(&self, found: Vec<Item>) -> Result<Option<[u8; 32]>, KeyTableError> {
        let Some(item) = found.into_iter().next() else { return Ok(None) };
        let bytes = item.get(BYTES).and_then(|value| value.as_b().ok()).ok_or(KeyTableError::Malformed)?;
        let bytes = bytes.as_ref().try_into().map_err(|_| KeyTableError::Malformed)?;
        Ok(Some(*self.known.get_or_init(|| bytes)))
    }
}

impl fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::{Credentials, Region};

    use super::*;

    fn secret() -> ServiceSecret {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version_latest()
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .build();
        ServiceSecret::new(Client::from_conf(config), "secrets", Random::system())
    }

    fn item(bytes: &[u8]) -> Item {
        Item::from([(BYTES.to_owned(), AttributeValue::B(Blob::new(bytes)))])
    }

    #[test]
    fn what_was_read_first_stays_and_nothing_shows_it() {
        let secret = secret();
        assert_eq!(secret.learn(Vec::new()).unwrap(), None);
        assert_eq!(secret.learn(vec![item(&[7; 32])]).unwrap(), Some([7; 32]));
        assert_eq!(secret.clone().learn(vec![item(&[8; 32])]).unwrap(), Some([7; 32]));
        assert_eq!(format!("{secret:?}"), "ServiceSecret(..)");
    }

    #[test]
    fn a_secret_of_another_length_is_none_to_use() {
        for bytes in [&[][..], &[7; 31], &[7; 33]] {
            assert!(matches!(secret().learn(vec![item(bytes)]), Err(KeyTableError::Malformed)));
        }
        assert!(matches!(secret().learn(vec![Item::new()]), Err(KeyTableError::Malformed)));
    }
}

//! Placing an order: one conditional write is the order, the record of its idempotency key and the outbox.

use shop_dynamo::{Item, New, Read, StoreError, Transacted, Update, write};
use shop_types::{EmailAddress, OrderId};

use super::{KIND, OrderStore, StoredOrder, key, position, shard};
use crate::order::Order;

/// A new order, and what is stored with it.
#[derive(Debug)]
pub(crate) struct Placing<'a> {
    pub(crate) order: &'a Order,
    /// What tells its request from others.
    pub(crate) request_hash: &'a str,
    /// Where to write to its guest.
    pub(crate) contact_email: Option<&'a EmailAddress>,
    /// Tells this write from every other.
    pub(crate) write_id: &'a str,
}

#[derive(Debug)]
pub(crate) enum Placed {
    New,
    /// The same request stored it before.
    Before(Box<Order>),
    /// Another request used the same idempotency key.
    KeyReused,
}

impl Placing<'_> {
    fn item(&self) -> Result<Item, StoreError> {
        let order = self.order;
        let stored = StoredOrder {
            placed: position(order),
            status_shard: shard(order.status, &order.id),
            order: order.clone(),
            request_hash: self.request_hash.to_owned(),
            write_id: self.write_id.to_owned(),
            contact_email: self.contact_email.cloned(),
        };
        write(KIND, &stored)
    }

    /// What an order means that is there already.
    fn met(&self, before: StoredOrder) -> Placed {
        if before.write_id == self.write_id {
            // Our own write: its answer was lost, and the SDK tried again.
            Placed::New
        } else if before.is_of(self.request_hash, self.contact_email) {
            Placed::Before(Box::new(before.order))
        } else {
            Placed::KeyReused
        }
    }
}

impl OrderStore {
    /// Stores a new order: the order, the record of its idempotency key and the outbox in one write.
    ///
    /// # Errors
    /// See [`StoreError`]; the order may or may not be stored, and the same call tells.
    pub(crate) async fn place(&self, placing: &Placing<'_>) -> Result<Placed, StoreError> {
        Ok(match self.table.put_new(placing.item()?).await? {
            New::Stored => Placed::New,
            New::Exists(stored) => placing.met(stored),
        })
    }

    /// The same together with the write that `counts` it, both or neither. None where that one's condition fails:
    /// there is no room for the order.
    pub(crate) async fn place_counted(
        &self,
        placing: &Placing<'_>,
        counts: Update,
    ) -> Result<Option<Placed>, StoreError> {
        let put = self.table.put(placing.item()?).if_new().returning_stored();
        match self.table.transaction().write(put).write(counts).send().await? {
            Transacted::Done => Ok(Some(Placed::New)),
            // A replay comes first: it is answered whatever the counter says.
            Transacted::Refused(mut refused) => match refused.stored(0)? {
                Some(stored) => Ok(Some(placing.met(stored))),
                None if refused.failed(1) => Ok(None),
                None => Err(StoreError::Contended { kind: KIND }),
            },
        }
    }

    /// What an idempotency key stands for: the order under its id, if the request was the same.
    pub(crate) async fn placed_before(
        &self,
        id: &OrderId,
        request_hash: &str,
        contact_email: Option<&EmailAddress>,
    ) -> Result<Option<Placed>, StoreError> {
        let Some(before) = self.table.get::<StoredOrder>(key(id), Read::Consistent).await? else {
            return Ok(None);
        };
        let is_same = before.is_of(request_hash, contact_email);
        Ok(Some(if is_same { Placed::Before(Box::new(before.order)) } else { Placed::KeyReused }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::order;
    use shop_dynamo::{read, string};
    use shop_events::OrderStatus;

    #[test]
    fn an_order_reads_back_as_it_was_stored() {
        let order = order(OrderStatus::Pending);
        let email = "ada@example.com".parse().unwrap();
        let placing =
            Placing { order: &order, request_hash: "hash", contact_email: Some(&email), write_id: "1" };
        let item = placing.item().unwrap();
        assert!(item["status_shard"].as_s().unwrap().starts_with("pending#"));
        assert_eq!(item["contact_email"], string("ada@example.com"));
        let read: Order = read(KIND, item).unwrap();
        assert_eq!(read, order);
        // What answers, events and logs are made of has no address.
        assert!(!format!("{read:?}{}", serde_json::to_string(&read).unwrap()).contains("example.com"));
    }

    #[test]
    fn what_an_order_means_that_is_there_already() {
        let order = order(OrderStatus::Pending);
        let emails: Vec<EmailAddress> = ["ada@example.com", "Ada@EXAMPLE.com", "bea@example.com"]
            .map(|text| text.parse().unwrap())
            .into();
        let placing = |hash, email, write_id| Placing {
            order: &order,
            request_hash: hash,
            contact_email: email,
            write_id,
        };
        let stored = placing("hash", Some(&emails[0]), "1").item().unwrap();
        for (hash, email, write_id, expected) in [
            ("hash", Some(&emails[0]), "1", "ours"),
            ("hash", Some(&emails[0]), "2", "replayed"),
            ("hash", Some(&emails[1]), "2", "replayed"),
            ("hash", Some(&emails[2]), "2", "reused"),
            ("hash", None, "2", "reused"),
            ("other", Some(&emails[0]), "2", "reused"),
        ] {
            let stored = read(KIND, stored.clone()).unwrap();
            let met = match placing(hash, email, write_id).met(stored) {
                Placed::New => "ours",
                Placed::Before(before) if *before == order => "replayed",
                Placed::Before(_) => "another",
                Placed::KeyReused => "reused",
            };
            assert_eq!(met, expected, "{hash} {email:?} {write_id}");
        }
    }
}

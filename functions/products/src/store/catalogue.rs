//! Products in the table: created with their counter, read with it, listed in several orders, replaced version by
//! version, and deleted into a tombstone.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use serde::{Deserialize, Serialize};
use shop_dynamo::{Item, Reason, StoreError, TransactionOutcome, read, string, transact};
use shop_types::{ProductId, Timestamp};

use super::Store;
use super::keys::{self, Kind, unsigned};
use crate::listing::{Listing, Position, Sort};
use crate::product::{Offer, Product};
use crate::stock::Stock;

/// The one partition of the indexes of the whole catalogue. A catalogue of some ten thousand products changes a few
/// times a second at most, far below the 1,000 writes that a partition takes; CloudFront takes the reads.
const LISTING: &str = "all";
const TRANSACTION: &str = "TransactWriteItems";
/// The sort keys of the indexes.
const SORTS: [Sort; 3] = [Sort::Newest, Sort::Name, Sort::PriceUp];

/// The creation of a product under an idempotency key: the key decides, whatever is sent under it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedCreation {
    /// The partition key, which holds the key's hash.
    pk: String,
    /// Tells a repeat from another request under the same key.
    pub request_hash: String,
    /// What was created.
    pub product_id: ProductId,
}

impl KeyedCreation {
    /// The creation of a product.
    #[must_use]
    pub fn new(key_hash: &str, product: &Product) -> Self {
        Self {
            pk: keys::creation(key_hash),
            request_hash: product.request_hash.clone(),
            product_id: product.id.clone(),
        }
    }
}

/// What came of creating a product.
#[derive(Debug)]
pub enum Created {
    /// It is stored now.
    New,
    /// The idempotency key was used before.
    KeyUsed(KeyedCreation),
    /// The id is taken.
    Taken(Box<Offer>),
}

/// One page of the catalogue, and whether more follow.
#[derive(Debug)]
pub struct Catalogued {
    /// In the list's order.
    pub offers: Vec<Offer>,
    /// Where the next page goes on, if there is one.
    pub next: Option<Position>,
}

impl Store {
    /// Stores a new product and its counter, and remembers the key, if there is one: all or nothing.
    ///
    /// # Errors
    /// DynamoDB failed; whether the product is stored is not known then, and the same call tells.
    pub async fn create(
        &self,
        product: &Product,
        stock: &Stock,
        keyed: Option<&KeyedCreation>,
    ) -> Result<Created, StoreError> {
        let is_new = "attribute_not_exists(pk)";
        let mut items = Vec::new();
        items.extend(keyed.map(|keyed| self.put_key(keyed)).transpose()?);
        items.push(self.put(product_item(product)?, is_new, None)?);
        items.push(self.put(Kind::Stock.item(stock)?, is_new, None)?);
        let cancelled = match transact(&self.client, &self.random, items).await? {
            TransactionOutcome::Done => return Ok(Created::New),
            TransactionOutcome::Cancelled(cancelled) => cancelled,
            TransactionOutcome::TokenReused => {
                return Err(StoreError::Contended { kind: Kind::Product.name() });
            }
        };
        let first = cancelled.reasons.into_iter().next().filter(|_| keyed.is_some());
        if let Some(Reason::ConditionFailed(Some(before))) = first {
            return Ok(Created::KeyUsed(read(Kind::Creation.name(), before)?));
        }
        match self.find(&product.id).await? {
            Some(offer) => Ok(Created::Taken(Box::new(offer))),
            None => Err(StoreError::Contended { kind: Kind::Product.name() }),
        }
    }

    /// Remembers a key for a product that is there already; whether it was not used before.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn remember(&self, keyed: &KeyedCreation) -> Result<bool, StoreError> {
        self.try_transact(vec![self.put_key(keyed)?]).await
    }

    fn put_key(&self, keyed: &KeyedCreation) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(Kind::Creation.item(keyed)?))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld);
        let put = put.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A product, deleted or not, and its counter: one call, and as of this moment, so that whoever changed
    /// something sees it. CloudFront spares the table most of these reads.
    ///
    /// # Errors
    /// DynamoDB failed, or an item cannot be read.
    pub async fn find(&self, id: &ProductId) -> Result<Option<Offer>, StoreError> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", string(id.as_str()))
            .expression_attribute_values(":first", string(Kind::Product.sort_key()))
            .expression_attribute_values(":last", string(Kind::Stock.sort_key()));
        let answer = query.send().await.map_err(StoreError::call("Query"))?;
        let (mut product, mut stock) = (None, None);
        for item in answer.items.unwrap_or_default() {
            match kind_of(&item) {
                Some(Kind::Product) => product = Some(read(Kind::Product.name(), item)?),
                Some(Kind::Stock) => stock = Some(read(Kind::Stock.name(), item)?),
                _ => {}
            }
        }
        match (product, stock) {
            (Some(product), Some(stock)) => Ok(Some(Offer { product, stock })),
            (None, _) => Ok(None),
            (Some(_), None) => Err(no_counter()),
        }
    }

    /// A product that is for sale, and its counter.
    ///
    /// # Errors
    /// DynamoDB failed, or an item cannot be read.
    pub async fn find_listed(&self, id: &ProductId) -> Result<Option<Offer>, StoreError> {
        Ok(self.find(id).await?.filter(|offer| offer.product.deleted_at.is_none()))
    }

    /// A page of a list: one query of its index, and one batch of the counters. `after` must be a position that the
    /// list may hold.
    ///
    /// # Errors
    /// DynamoDB failed, or an item cannot be read.
    pub async fn list(
        &self,
        listing: &Listing,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Catalogued, StoreError> {
        let (partition, value) = match &listing.category {
            Some(category) => ("category", category.as_str()),
            None => ("listing", LISTING),
        };
        let mut query = self.client.query().table_name(&self.table).index_name(listing.index());
        query = query
            .key_condition_expression("#partition = :value")
            .expression_attribute_names("#partition", partition)
            .expression_attribute_values(":value", string(value))
            .scan_index_forward(listing.sort.is_forward())
            // One more than asked for tells whether more follow.
            .limit(limit + 1);
        if let Some(position) = after {
            query = query
                .exclusive_start_key(partition, string(value))
                .exclusive_start_key(listing.sort.attribute(), string(&position.key))
                .exclusive_start_key("pk", string(position.id.as_str()))
                .exclusive_start_key("sk", string(Kind::Product.sort_key()));
        }
        let answer = query.send().await.map_err(StoreError::call("Query"))?;
        // A page that is full of long descriptions ends before the limit, and says so by this key.
        let mut more = answer.last_evaluated_key.is_some();
        let mut products: Vec<Product> = Vec::new();
        for item in answer.items.unwrap_or_default() {
            products.push(read(Kind::Product.name(), item)?);
        }
        let limit = usize::try_from(limit).unwrap_or_default();
        more |= products.len() > limit;
        products.truncate(limit);
        let next = products.last().filter(|_| more).map(|product| listing.behind(product));
        Ok(Catalogued { offers: self.with_counters(products).await?, next })
    }

    async fn with_counters(&self, products: Vec<Product>) -> Result<Vec<Offer>, StoreError> {
        let keys = products.iter().map(|product| Kind::Stock.key(product.id.as_str())).collect();
        let mut counters = std::collections::BTreeMap::new();
        for item in self.get_many(keys).await? {
            let stock: Stock = read(Kind::Stock.name(), item)?;
            counters.insert(stock.product_id.clone(), stock);
        }
        let offer = |product: Product| {
            let stock = counters.remove(&product.id).ok_or_else(no_counter)?;
            Ok(Offer { product, stock })
        };
        products.into_iter().map(offer).collect()
    }

    /// Replaces a product by its next version; whether nobody else did so before.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn replace(&self, before: &Product, after: &Product) -> Result<bool, StoreError> {
        self.try_transact(vec![self.put_over(before, after)?]).await
    }

    /// Replaces a product by its tombstone, and closes its counter for reservations; whether nobody else
    /// changed the product before.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn delete(&self, before: &Product, tombstone: &Product) -> Result<bool, StoreError> {
        let at = tombstone.deleted_at.unwrap_or(tombstone.updated_at);
        let close = self.close_counter(&tombstone.id, at)?;
        self.try_transact(vec![self.put_over(before, tombstone)?, close]).await
    }

    fn put_over(&self, before: &Product, after: &Product) -> Result<TransactWriteItem, StoreError> {
        self.put(product_item(after)?, "version = :before", Some(before.version))
    }

    fn close_counter(&self, id: &ProductId, at: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(Kind::Stock.key(id.as_str())))
            .update_expression("SET deleted_at = :at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":at", shop_dynamo::number(at.as_millis()));
        let update = update.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A put of a transaction, on a condition that may speak of the version `:before`.
    pub(super) fn put(
        &self,
        item: Item,
        condition: &str,
        before: Option<u64>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut put =
            Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(condition);
        if let Some(version) = before {
            put = put.expression_attribute_values(":before", unsigned(version));
        }
        let put = put.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The item of a product, with the indexes' keys while it is for sale.
fn product_item(product: &Product) -> Result<Item, StoreError> {
    let mut item = Kind::Product.item(product)?;
    if product.deleted_at.is_none() {
        item.insert("listing".to_owned(), string(LISTING));
        for sort in SORTS {
            item.insert(sort.attribute().to_owned(), string(sort.key(product)));
        }
    }
    Ok(item)
}

pub(super) fn kind_of(item: &Item) -> Option<Kind> {
    item.get("sk").and_then(|sk| sk.as_s().ok()).and_then(|sk| Kind::of(sk))
}

/// A product is created with its counter, and neither is ever removed.
fn no_counter() -> StoreError {
    StoreError::Corrupt { kind: Kind::Product.name(), source: "the product has no stock counter".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::tests::product;
    use shop_events::Cause;

    #[test]
    fn the_item_has_what_create_order_reads_and_reads_back() {
        let item = product_item(&product()).unwrap();
        let text = |name: &str| item[name].as_s().unwrap().as_str();
        let number = |name: &str| item[name].as_n().unwrap().as_str();
        assert_eq!(
            (text("pk"), text("sk"), text("name"), text("currency")),
            ("prod-1", "product", "Mug", "USD")
        );
        assert_eq!((number("price"), number("version"), number("created_at")), ("2990", "1", "1000"));
        assert_eq!((text("listing"), text("listed")), ("all", "1970-01-01T00:00:01.000Z#prod-1"));
        assert_eq!((text("named"), text("priced")), ("mug\u{1}prod-1", "USD#000000000002990#prod-1"));
        assert!(!item.contains_key("deleted_at") && !item.contains_key("description"));
        assert_eq!(read::<Product>("product", item).unwrap(), product());
    }

    #[test]
    fn a_tombstone_is_in_no_list() {
        let tombstone = product().deleted(Timestamp::from_millis(2000), Cause::request("request-2"));
        let item = product_item(&tombstone).unwrap();
        assert_eq!(item["deleted_at"].as_n().unwrap(), "2000");
        for key in ["listing", "listed", "named", "priced"] {
            assert!(!item.contains_key(key), "{key}");
        }
        assert_eq!(read::<Product>("product", item).unwrap(), tombstone);
    }
}

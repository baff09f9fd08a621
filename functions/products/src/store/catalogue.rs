//! Products in the table: created with their counter, read with it, listed in several orders, replaced version by
//! version, and deleted into a tombstone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shop_dynamo::{
    After, Condition, Item, List, Put, Read, StoreError, Transacted, Write, read, string, value,
};
use shop_types::ProductId;

use super::Store;
use super::keys::{self, Kind};
use crate::listing::{Listing, Position, Sort};
use crate::product::{CatalogueItem, Product};
use crate::stock::Stock;

/// The one partition of the indexes of the whole catalogue. A catalogue of some ten thousand products changes a few
/// times a second at most, far below the 1,000 writes that a partition takes. It gives 3,000 read units a second, of which a
/// page of a hundred products takes some twelve; with `EdgeCache` caches take most of the reads, without it that is the limit.
pub(super) const LISTING: &str = "all";
/// The sort keys of the indexes.
const SORTS: [Sort; 3] = [Sort::Newest, Sort::Name, Sort::PriceUp];

/// The creation of a product under an idempotency key: the key decides, whatever is sent under it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyedCreation {
    /// The partition key, which holds the key's hash.
    pk: String,
    /// Tells a repeat from another request under the same key.
    pub(crate) request_hash: String,
    pub(crate) product_id: ProductId,
}

impl KeyedCreation {
    #[must_use]
    pub(crate) fn new(key_hash: &str, product: &Product) -> Self {
        Self {
            pk: keys::keyed(key_hash),
            request_hash: product.request_hash.clone(),
            product_id: product.id.clone(),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Created {
    New,
    /// The idempotency key was used before.
    KeyUsed(KeyedCreation),
    /// The id is taken.
    IdTaken(Box<CatalogueItem>),
}

/// One page of the catalogue, and whether more follow.
#[derive(Debug)]
pub(crate) struct CataloguePage {
    /// In the list's order.
    pub(crate) items: Vec<CatalogueItem>,
    /// Where the next page goes on, if there is one.
    pub(crate) next: Option<Position>,
}

impl Store {
    /// Stores a new product and its counter, and remembers the key, if there is one: all or nothing.
    ///
    /// # Errors
    /// See [`StoreError`]; whether the product is stored is not known then, and the same call tells.
    pub(crate) async fn create(
        &self,
        product: &Product,
        stock: &Stock,
        keyed: Option<&KeyedCreation>,
    ) -> Result<Created, StoreError> {
        let mut writes: Vec<Write> = Vec::new();
        writes.extend(keyed.map(|keyed| self.put_key(keyed)).transpose()?.map(Write::from));
        writes.push(self.table.put(product_item(product)?).if_new().into());
        writes.push(self.table.put(Kind::Stock.item(stock)?).if_new().into());
        let mut refused = match self.table.transaction().writes(writes).send().await? {
            Transacted::Done => return Ok(Created::New),
            Transacted::Refused(refused) => refused,
        };
        if keyed.is_some()
            && let Some(before) = refused.stored(0)?
        {
            return Ok(Created::KeyUsed(before));
        }
        match self.find(&product.id).await? {
            Some(item) => Ok(Created::IdTaken(Box::new(item))),
            None => Err(StoreError::Contended { kind: Kind::Product.name() }),
        }
    }

    /// Remembers a key for a product that is there already; whether it was not used before.
    pub(crate) async fn remember(&self, keyed: &KeyedCreation) -> Result<bool, StoreError> {
        self.try_transact([self.put_key(keyed)?.into()]).await
    }

    fn put_key(&self, keyed: &KeyedCreation) -> Result<Put, StoreError> {
        Ok(self.table.put(Kind::Creation.item(keyed)?).if_new().returning_stored())
    }

    /// A product, deleted or not, and its counter: one call, and as of this moment, so that whoever changed
    /// something sees it. Caches spare the table most of these reads.
    pub(crate) async fn find(&self, id: &ProductId) -> Result<Option<CatalogueItem>, StoreError> {
        let both = Condition::of("pk = :pk AND sk BETWEEN :first AND :last")
            .with("pk", id)
            .with("first", Kind::Product.sort_key())
            .with("last", Kind::Stock.sort_key());
        let (mut product, mut stock) = (None, None);
        for item in self.table.query(both, Read::Consistent).page().await?.items {
            match Kind::of_item(&item) {
                Some(Kind::Product) => product = Some(read(Kind::Product.name(), item)?),
                Some(Kind::Stock) => stock = Some(read(Kind::Stock.name(), item)?),
                _ => {}
            }
        }
        match (product, stock) {
            (Some(product), Some(stock)) => Ok(Some(CatalogueItem { product, stock })),
            (None, _) => Ok(None),
            (Some(_), None) => Err(no_counter()),
        }
    }

    /// A product that is for sale, and its counter.
    pub(crate) async fn find_listed(&self, id: &ProductId) -> Result<Option<CatalogueItem>, StoreError> {
        Ok(self.find(id).await?.filter(|item| item.product.deleted_at.is_none()))
    }

    /// A page of a list: one query of its index, and one batch of the counters. `after` must be a position that the
    /// list may hold.
    pub(crate) async fn list(
        &self,
        listing: &Listing,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<CataloguePage, StoreError> {
        let partition = match &listing.category {
            Some(category) => ("category", category.as_str()),
            None => ("listing", LISTING),
        };
        let list = List {
            index: listing.index(),
            partition,
            sort_key: listing.sort.attribute(),
            backwards: !listing.sort.is_forward(),
            within: None,
        };
        let after = after.map(|position| After {
            sort_key: position.key.clone(),
            key: Kind::Product.key(position.id.as_str()),
        });
        let page = self.table.page(&list, after, limit).await?;
        let next = page.next(|product| listing.behind(product));
        Ok(CataloguePage { items: self.with_counters(page.items).await?, next })
    }

    async fn with_counters(&self, products: Vec<Product>) -> Result<Vec<CatalogueItem>, StoreError> {
        let keys: Vec<_> = products.iter().map(|product| Kind::Stock.key(product.id.as_str())).collect();
        let mut counters = BTreeMap::new();
        for item in self.table.get_all(&keys).await? {
            let stock: Stock = read(Kind::Stock.name(), item)?;
            counters.insert(stock.product_id.clone(), stock);
        }
        let item = |product: Product| {
            let stock = counters.remove(&product.id).ok_or_else(no_counter)?;
            Ok(CatalogueItem { product, stock })
        };
        products.into_iter().map(item).collect()
    }

    /// Replaces a product by its next version; whether nobody else did so before. A tombstone closes the product's
    /// counter for reservations.
    pub(crate) async fn replace(&self, before: &Product, after: &Product) -> Result<bool, StoreError> {
        let mut writes: Vec<Write> = vec![self.put_in_place_of(before, after)?.into()];
        if let Some(deleted_at) = after.deleted_at {
            let close = self.table.update(Kind::Stock.key(after.id.as_str())).set("deleted_at", deleted_at);
            // Who closes it is why it says so.
            let close = close.set_or_remove(&after.cause.attributes());
            writes.push(close.only_if(Condition::exists("pk")).into());
        }
        self.try_transact(writes).await
    }

    /// A product in the place of what was read of it. An import's line may leave the version as it is.
    pub(super) fn put_in_place_of(&self, before: &Product, after: &Product) -> Result<Put, StoreError> {
        let has_mark = match &before.imported {
            Some(imported) => Condition::equals("imported", value(Kind::Product.name(), imported)?),
            None => Condition::absent("imported"),
        };
        let is_as_read = Condition::equals("version", before.version).and(has_mark);
        Ok(self.table.put(product_item(after)?).only_if(is_as_read))
    }
}

/// The item of a product, with the indexes' keys while it is for sale.
pub(super) fn product_item(product: &Product) -> Result<Item, StoreError> {
    let mut item = Kind::Product.item(product)?;
    if product.deleted_at.is_none() {
        item.insert("listing".to_owned(), string(LISTING));
        for sort in SORTS {
            item.insert(sort.attribute().to_owned(), string(sort.key(product)));
        }
    }
    Ok(item)
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
    use shop_types::Timestamp;

    #[test]
    fn the_item_has_what_create_order_reads_and_reads_back() {
        let item = product_item(&product()).unwrap();
        let text = |name: &str| item[name].as_s().unwrap().as_str();
        let number = |name: &str| item[name].as_n().unwrap().as_str();
        assert_eq!((text("pk"), text("sk"), text("name")), ("prod-1", "product", "Mug"));
        assert_eq!(item["price"], shop_dynamo::value("money", &product().price).unwrap());
        assert_eq!((number("version"), text("created_at")), ("1", "1970-01-01T00:00:01.000Z"));
        assert_eq!((text("listing"), text("listed")), ("all", "1970-01-01T00:00:01.000Z#prod-1"));
        assert_eq!((text("named"), text("priced")), ("mug\u{1}prod-1", "USD#000000000002990#prod-1"));
        assert!(!item.contains_key("deleted_at") && !item.contains_key("description"));
        assert_eq!(read::<Product>("product", item).unwrap(), product());
    }

    #[test]
    fn a_tombstone_is_in_no_list() {
        let tombstone = product().deleted(Timestamp::from_millis(2000), Cause::request("request-2"));
        let item = product_item(&tombstone).unwrap();
        assert_eq!(item["deleted_at"].as_s().unwrap(), "1970-01-01T00:00:02.000Z");
        for key in ["listing", "listed", "named", "priced"] {
            assert!(!item.contains_key(key), "{key}");
        }
        assert_eq!(read::<Product>("product", item).unwrap(), tombstone);
    }
}

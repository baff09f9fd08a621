//! Many products at once, as an import changes them.

use std::collections::BTreeMap;

use shop_dynamo::{After, List, Record, StoreError, Write, read};
use shop_types::ProductId;

use super::Store;
use super::catalogue::{LISTING, product_item};
use super::keys::Kind;
use crate::listing::{Listing, Position, Sort};
use crate::product::Product;
use crate::stock::Stock;

/// A product as it is to be.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// With its counter, where there was none.
    New(Box<(Product, Stock)>),
    /// In the place of what it is made from, which comes first.
    Next(Box<(Product, Product)>),
}

/// Products as they are exported.
#[derive(Debug)]
pub(crate) struct Exported {
    pub(crate) items: Vec<Product>,
    /// Where the next page goes on, if there is one.
    pub(crate) next: Option<Position>,
}

impl Store {
    /// The products of these ids that are there, tombstones too, as of this moment.
    pub(crate) async fn products<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a ProductId>,
    ) -> Result<BTreeMap<ProductId, Product>, StoreError> {
        let keys: Vec<_> = ids.into_iter().map(|id| Kind::Product.key(id.as_str())).collect();
        let mut products = BTreeMap::new();
        for item in self.table.get_all(&keys).await? {
            let product: Product = read(Product::KIND, item)?;
            products.insert(product.id.clone(), product);
        }
        Ok(products)
    }

    /// A page of the catalogue without its counters, in the order in which products were made.
    pub(crate) async fn exported(
        &self,
        behind: Option<&Position>,
        limit: i32,
    ) -> Result<Exported, StoreError> {
        let list = List {
            index: "catalogue",
            partition: ("listing", LISTING),
            sort_key: Sort::Newest.attribute(),
            backwards: false,
            within: None,
        };
        let after = behind.map(|position| After {
            sort_key: position.key.clone(),
            key: Kind::Product.key(position.id.as_str()),
        });
        let page = self.table.page(&list, after, limit).await?;
        let next = page.next(|product| Listing::default().behind(product));
        Ok(Exported { items: page.items, next })
    }

    /// Puts all of these products, or none: whether each was as it was taken for.
    ///
    /// # Errors
    /// See [`StoreError`]; whether they are put is not known then.
    pub(crate) async fn put_all(&self, wanted: &[Wanted]) -> Result<bool, StoreError> {
        let mut writes: Vec<Write> = Vec::with_capacity(2 * wanted.len());
        for wanted in wanted {
            match wanted {
                Wanted::New(new) => {
                    let (product, stock) = &**new;
                    writes.push(self.table.put(product_item(product)?).if_new().into());
                    writes.push(self.table.put(Kind::Stock.item(stock)?).if_new().into());
                }
                Wanted::Next(change) => writes.push(self.put_in_place_of(&change.0, &change.1)?.into()),
            }
        }
        self.try_transact(writes).await
    }
}

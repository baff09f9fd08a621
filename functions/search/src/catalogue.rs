//! The catalogue, read from the products table, which is another service's (docs/decisions/0055): products as they are at
//! the moment, and which there are. Nothing here can write.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use shop_dynamo::{After, Item, List, Read, Record, StoreError, Table, read, string};
use shop_lambda::{Environment, StartError};
use shop_types::{ListPosition, Money, ProductId, Timestamp};

use crate::index::{Entry, Shown};

/// How many products are read in one call: each is two items, and a call has a hundred keys.
const CHUNK: usize = 50;
const ATTRIBUTES: [&str; 11] = [
    "pk",
    "sk",
    "name",
    "description",
    "price",
    "category",
    "image_url",
    "version",
    "created_at",
    "deleted_at",
    "available",
];

/// Where the catalogue's list goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) created_at: Timestamp,
    pub(crate) id: ProductId,
}

impl Position {
    pub(crate) fn place(&self) -> (Timestamp, &str) {
        (self.created_at, self.id.as_str())
    }
}

/// A product that is for sale, as the list has it.
#[derive(Deserialize)]
struct Listed {
    pk: ProductId,
    created_at: Timestamp,
}

impl Record for Listed {
    const KIND: &'static str = "product";
}

#[derive(Deserialize)]
struct Product {
    name: String,
    description: Option<String>,
    price: Money,
    category: Option<String>,
    image_url: Option<String>,
    version: u64,
    created_at: Timestamp,
    /// A product that is deleted stays as a tombstone.
    deleted_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Stock {
    available: u64,
}

/// The products table, for the catalogue only.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    table: Table,
}

impl Catalogue {
    /// The catalogue in the table that `PRODUCTS_TABLE` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        Ok(Self { table: Table::start(environment, client, "PRODUCTS_TABLE", "pk")? })
    }

    /// These products as they are at this moment: none where one is deleted or never was.
    pub(crate) async fn products(
        &self,
        ids: impl IntoIterator<Item = ProductId>,
    ) -> Result<BTreeMap<ProductId, Option<Entry>>, StoreError> {
        let mut products: BTreeMap<_, _> = ids.into_iter().map(|id| (id, None)).collect();
        let ids: Vec<_> = products.keys().cloned().collect();
        for ids in ids.chunks(CHUNK) {
            let keys = ids.iter().flat_map(|id| ["product", "stock"].map(|kind| key(id.as_str(), kind)));
            let wanted = self.table.wanted(keys.collect(), Read::Consistent).only(&ATTRIBUTES);
            let (mut found, mut stocks) = (Vec::new(), BTreeMap::new());
            for item in self.table.batch_get([wanted]).await?.items_of(&self.table) {
                let id: ProductId = read::<Key>(Product::KIND, item.clone())?.pk;
                if item.get("sk") == Some(&string("stock")) {
                    stocks.insert(id, read::<Stock>(Stock::KIND, item)?.available);
                } else {
                    found.push((id, read::<Product>(Product::KIND, item)?));
                }
            }
            for (id, product) in found {
                let in_stock = stocks.get(&id).is_some_and(|available| *available > 0);
                let entry = product.entry(id.clone(), in_stock);
                products.insert(id, entry);
            }
        }
        Ok(products)
    }

    /// A page of the list of all products, in the order in which they were made; and where it goes on. It may be some
    /// moments old.
    pub(crate) async fn listed(
        &self,
        behind: Option<&Position>,
        limit: i32,
    ) -> Result<(Vec<ProductId>, Option<Position>), StoreError> {
        let list = List {
            index: "catalogue",
            partition: ("listing", "all"),
            sort_key: "listed",
            backwards: false,
            within: None,
        };
        let after = behind.map(|position| After {
            sort_key: ListPosition::new(position.created_at, position.id.clone()).into(),
            key: key(position.id.as_str(), "product"),
        });
        let page = self.table.page::<Listed>(&list, after, limit).await?;
        let next = page.next(|last| Position { created_at: last.created_at, id: last.pk.clone() });
        Ok((page.items.into_iter().map(|listed| listed.pk).collect(), next))
    }
}

#[derive(Deserialize)]
struct Key {
    pk: ProductId,
}

impl Product {
    fn entry(self, id: ProductId, in_stock: bool) -> Option<Entry> {
        if self.deleted_at.is_some() {
            return None;
        }
        let Self { name, description, price, category, image_url, version, created_at, .. } = self;
        let shown = Shown { id, name, price, category, image_url, in_stock, version, created_at };
        Some(Entry { shown, description })
    }
}

impl Record for Product {
    const KIND: &'static str = "product";
}

impl Record for Stock {
    const KIND: &'static str = "stock counter";
}

impl Record for Key {
    const KIND: &'static str = "product";
}

fn key(id: &str, kind: &str) -> Item {
    [("pk", id), ("sk", kind)].map(|(name, value)| (name.to_owned(), string(value))).into()
}

//! `POST /products`: an administrator puts a product into the catalogue.
//!
//! The product and its stock counter are one transaction. Sent again, the same request gets the same product,
//! marked as replayed: under a client's own id always, and under an `Idempotency-Key`, which stands for one request
//! of its administrator whatever is sent under it. An id is given out once, and not again after a deletion.

use shop_http::{
    Access, Call, Code, Contract, Endpoint, FieldCode, FieldError, Problem, Reply, Route, Start, post,
};
use shop_lambda::{Clock, Function, Random, StartError};
use shop_types::ProductId;

use crate::fields::NewProduct;
use crate::product::{CatalogueItem, Product, ProductView};
use crate::stock::Stock;
use crate::store::{Created, KeyedCreation, Kind, Store};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateProduct>();

pub(crate) struct CreateProduct {
    store: Store,
    clock: Clock,
    random: Random,
}

/// Where a product's id comes from, which decides what it means that the id is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdFrom {
    Client,
    Key,
    Us,
}

impl Route for CreateProduct {
    const NAME: &'static str = "create-product";
    const ENDPOINT: Endpoint = post("/products");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::start(start.environment(), start.client())?,
            clock: start.clock(),
            random: start.random(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Puts a product into the catalogue")
            .body(NewProduct::read)
            .created::<ProductView<'_>>("The product.")
            .versioned()
            .idempotent()
            .codes([Code::IdTaken])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let new = NewProduct::read(call.body()?)?;
        let key = call.idempotency_key()?;
        let now = self.clock.now();
        let (id, id_from) = match (&new.id, key) {
            (Some(id), _) => (id.clone(), IdFrom::Client),
            (None, Some(key)) => (ProductId::derived(key.scope(), key.as_str()), IdFrom::Key),
            (None, None) => (ProductId::fresh(now, self.random.bytes()), IdFrom::Us),
        };
        let cause = call.cause();
        let stock = Stock::create(id.clone(), new.stock, now, cause.clone());
        let stock = stock.watched_below(new.low_stock_threshold);
        let hash = new.hash()?;
        let product = Product::create(id, new, hash, now, cause);
        let keyed = key.map(|key| KeyedCreation::new(&key.hash(), &product));
        let mut tries = self.store.tries(Kind::Creation);
        loop {
            match self.store.create(&product, &stock, keyed.as_ref()).await? {
                Created::New => return created(&CatalogueItem { product, stock }),
                Created::KeyUsed(before) => return self.repeated(&before, &product).await,
                Created::IdTaken(before) if is_same_request(&before.product, &product) => {
                    let is_remembered = match &keyed {
                        Some(keyed) => self.store.remember(keyed).await?,
                        None => true,
                    };
                    if is_remembered {
                        return Ok(created(&before)?.replayed());
                    }
                    // Somebody used the key in between.
                    tries.pause().await?;
                }
                Created::IdTaken(_) if id_from == IdFrom::Key => {
                    return Err(Problem::idempotency_key_reused());
                }
                Created::IdTaken(_) => return Err(id_taken()),
            }
        }
    }
}

impl CreateProduct {
    /// The answer to a request under a key that was used before.
    async fn repeated(&self, before: &KeyedCreation, product: &Product) -> Result<Reply, Problem> {
        if before.request_hash != product.request_hash {
            return Err(Problem::idempotency_key_reused());
        }
        match self.store.find_listed(&before.product_id).await? {
            Some(item) => Ok(created(&item)?.replayed()),
            None => Err(Problem::idempotency_key_reused()),
        }
    }
}

fn is_same_request(before: &Product, product: &Product) -> bool {
    before.request_hash == product.request_hash && before.deleted_at.is_none()
}

fn created(item: &CatalogueItem) -> Result<Reply, Problem> {
    Reply::created(&format!("/products/{}", item.product.id), &item.view())?.versioned(item.tag())
}

fn id_taken() -> Problem {
    let detail = "This id belongs to another product, or did before that was deleted.".to_owned();
    let error = FieldError { pointer: "/id".into(), code: FieldCode::IdTaken, detail: detail.clone() };
    Problem::new(Code::IdTaken, detail).with_errors(vec![error])
}

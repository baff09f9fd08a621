//! `GET /products`: the catalogue, page by page: all of it or a category (`?category=...`), newest first, or by name
//! or price (`?sort=name`, `price`, `-price`, `newest`). Everybody may read it.
//!
//! One query of an index and one batch of counters, whatever the size of the catalogue. The indexes follow the table
//! within moments, so a new product may be missing from a list for that long.

use serde_json::json;
use shop_http::{
    Access, CacheTags, Call, Contract, Cursor, Endpoint, FieldCode, FieldError, Page, Problem, Reply, Route,
    Start, get,
};
use shop_lambda::{Function, StartError};
use shop_types::text;

use crate::fields::MAX_CATEGORY;
use crate::listing::{Listing, Position, Sort};
use crate::product::{CatalogueItem, ProductView};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListProducts>();

pub(crate) struct ListProducts {
    store: Store,
}

impl Route for ListProducts {
    const NAME: &'static str = "list-products";
    const ENDPOINT: Endpoint = get("/products");
    const ACCESS: Access = Access::Public;
    const QUERY: &'static [&'static str] = &["limit", "cursor", "category", "sort"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        let sorts = json!({ "type": "string", "enum": Sort::NAMES, "default": "newest" });
        Contract::new("Lists the catalogue: all of it or a category, newest first, by name or by price")
            .query(
                "category",
                json!({ "type": "string", "minLength": 1, "maxLength": MAX_CATEGORY, "pattern": "\\S" }),
            )
            .query("sort", sorts)
            .page::<ProductView<'_>>("A page of products.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let listing = listing(&call)?;
        let list = listing.path();
        let request = call.page::<Position>(&list)?;
        if request.after.as_ref().is_some_and(|position| !listing.may_hold(position)) {
            return Err(invalid("?cursor", FieldCode::InvalidCursor, "This is not a cursor of this list."));
        }
        let found = self.store.list(&listing, request.after.as_ref(), request.limit).await?;
        let cursor = |position| Cursor::encode(&list, position);
        let page = Page::fitting(
            &found.items,
            |item: &CatalogueItem| Ok::<_, Problem>(item.view()),
            |item| cursor(listing.behind(&item.product)),
        )?;
        let next_cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => found.next.map(cursor).transpose()?,
        };
        let page = Page { data: page.data, next_cursor };
        let shown = found.items.iter().take(page.data.len()).map(|item| &item.product.id);
        Ok(Reply::page(&page, &list, request.limit)?.catalogue(&call.principal, &CacheTags::of_list(shown)))
    }
}

fn listing(call: &Call) -> Result<Listing, Problem> {
    let value = |name| call.parameter(name);
    let sort = value("sort").map(|text| {
        let detail = "This must be newest, name, price or -price.";
        Sort::of(text).ok_or_else(|| invalid("?sort", FieldCode::InvalidFilter, detail))
    });
    // As a product's category is read: what looks the same is the same, and what no product can have is no key.
    let category = value("category").map(|text| {
        let read = text::line(text).ok();
        let read = read.filter(|text| !text::is_blank(text) && text.chars().count() <= MAX_CATEGORY);
        read.ok_or_else(|| invalid("?category", FieldCode::InvalidFilter, "This must name a category."))
    });
    Ok(Listing { category: category.transpose()?, sort: sort.transpose()?.unwrap_or_default() })
}

fn invalid(pointer: &str, code: FieldCode, detail: &str) -> Problem {
    Problem::invalid_query(vec![FieldError { pointer: pointer.into(), code, detail: detail.into() }])
}

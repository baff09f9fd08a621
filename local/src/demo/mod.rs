//! Demo data: the demo administrator's account and a small catalogue, put in through the shop's own functions so that
//! every rule of the shop holds for it. It must not touch a table.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use futures::stream::{self, StreamExt, TryStreamExt};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use shop_lambda::Random;
use shop_types::UserId;

use crate::gateway::{Backend, BackendError, DEMO_EMAIL, DemoIdentity, IdentityError};

/// The bodies of `POST /products`, word for word.
const PRODUCTS: &str = include_str!("products.json");
/// Products that are put in at once: an emulator takes a tenth of a second for each.
const CONCURRENCY: usize = 4;

/// What became of the demo products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Products that were put in now.
    pub added: usize,
    /// Products that were there, or had been deleted: they stay as they are.
    pub left_alone: usize,
}

/// The demo data could not be put in.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file of demo products is malformed.
    #[error("the demo data, or an answer about it, is malformed")]
    Malformed(#[source] serde_json::Error),
    /// There is no identity to act as.
    #[error("the demo products cannot be put in without the demo identity")]
    Identity(#[from] IdentityError),
    /// The API did not answer.
    #[error("the API did not answer")]
    Backend(#[from] BackendError),
    /// The API refused a product, or the account.
    #[error("the {what} was answered with {status}: {problem}")]
    Refused {
        /// What was put in.
        what: &'static str,
        /// The answer's status.
        status: StatusCode,
        /// The answer's body.
        problem: String,
    },
}

/// Puts in the demo account and the demo products that are not there yet.
///
/// # Errors
/// When the API does not take one for another reason than that it is taken.
pub async fn seed(backend: &dyn Backend, identity: &DemoIdentity) -> Result<Seeded, SeedError> {
    make_administrator(backend, identity).await?;
    let products: Vec<Box<RawValue>> = serde_json::from_str(PRODUCTS).map_err(SeedError::Malformed)?;
    stream::iter(products)
        .map(|product| put_in(backend, identity, product))
        .buffer_unordered(CONCURRENCY)
        .try_fold(Seeded::default(), async |seeded, is_new| {
            Ok(if is_new {
                Seeded { added: seeded.added + 1, ..seeded }
            } else {
                Seeded { left_alone: seeded.left_alone + 1, ..seeded }
            })
        })
        .await
}

/// Makes the demo administrator's account, or makes it an administrator's again, as an operator does. Nobody can log
/// in to it: its password is made up and forgotten, since a known one would be a default password. Whatever the data
/// of the shop, it starts: where there is no such account, requests without a token are a guest's.
///
/// # Errors
/// The function fails, or its answer is none.
pub async fn make_administrator(backend: &dyn Backend, identity: &DemoIdentity) -> Result<(), SeedError> {
    #[derive(Deserialize)]
    struct Made {
        user_id: Option<UserId>,
        code: Option<String>,
    }

    let password = BASE64URL_NOPAD.encode(&Random::system().bytes::<18>());
    let ask = async |restore: bool| {
        let account = json!({ "email": DEMO_EMAIL, "password": password, "name": "The demo administrator",
            "restore": restore });
        let answer = backend.create_admin(account.to_string()).await?;
        let made = answer.map(|answer| serde_json::from_slice::<Made>(&answer));
        made.transpose().map_err(SeedError::Malformed)
    };
    // An account of this address that is no administrator's has been demoted: in a shop on this machine, by its owner.
    let mut made = ask(false).await?;
    if made.as_ref().is_some_and(|made| made.code.as_deref() == Some("email_taken")) {
        made = ask(true).await?;
    }
    match made {
        Some(Made { user_id: Some(user), .. }) => identity.act_as(user),
        Some(Made { code, .. }) => tracing::warn!(code, "there is no demo administrator"),
        None => {}
    }
    Ok(())
}

/// Whether the product is new.
async fn put_in(
    backend: &dyn Backend,
    identity: &DemoIdentity,
    product: Box<RawValue>,
) -> Result<bool, SeedError> {
    let mut request = Request::new(Bytes::from(String::from(Box::<str>::from(product))));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/products");
    request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    request.headers_mut().extend(identity.authorization().await?.map(|token| (AUTHORIZATION, token)));
    let answer = backend.call(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
    match answer.status() {
        // The same request again is answered with the product as it is now.
        StatusCode::CREATED => Ok(!answer.headers().contains_key("idempotent-replayed")),
        // Its id is taken: it was deleted, or is another product.
        // Or the demo's account is no administrator's in this data: the shop starts, and goes without.
        StatusCode::CONFLICT | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
        status => {
            let problem = String::from_utf8_lossy(answer.body()).into_owned();
            Err(SeedError::Refused { what: "demo product", status, problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Deserialize)]
    struct Product {
        id: String,
        price: Box<RawValue>,
        stock: u32,
    }

    #[test]
    fn the_first_curl_of_the_readme_finds_its_product() {
        let products: Vec<Product> = serde_json::from_str(PRODUCTS).unwrap();
        let by_id: BTreeMap<_, _> = products.iter().map(|product| (product.id.as_str(), product)).collect();
        assert_eq!(by_id.len(), products.len(), "an id is used twice");
        assert!(by_id.len() >= 22);
        for id in ["prod-1", "prod-123"] {
            assert_eq!(by_id[id].price.get(), "29.99");
            assert!(by_id[id].stock >= 500);
        }
    }
}

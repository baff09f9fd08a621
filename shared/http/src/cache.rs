//! What shared caches may keep of the catalogue, for how long, and by which names they forget it again.
//!
//! An answer says in [`CACHE_TAG`] what it shows; CloudFront reads that header, and an invalidation names tags (50 of
//! an object, of 256 characters at most, without a comma, whatever their case:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>).

use std::fmt;
use std::time::Duration;

use lambda_http::http::{HeaderName, HeaderValue};
use shop_types::ProductId;

/// How long a shared cache may show an answer about the catalogue, if nobody tells it to forget it.
pub const SHARED_CACHE: Duration = Duration::from_mins(1);
/// The header with the tags of an answer. The template's distribution names it.
pub const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
/// The most tags that CloudFront reads of an answer: what is behind them could not be forgotten by its name.
const MAX_TAGS: usize = 50;
/// Browsers ask each time, and are answered 304: nobody could make them forget a price.
pub(crate) const SHARED_ONLY: &str = "public, max-age=0, s-maxage=60";
/// For what no change can make forgotten by its name: it is soon asked for anew.
pub(crate) const SHARED_BRIEFLY: &str = "public, max-age=0, s-maxage=5";
/// What was answered to somebody in particular, or has more tags than can be told.
pub(crate) const PRIVATE: &str = "private, no-cache";

/// By what name answers are forgotten.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheTag {
    /// All that is kept of the catalogue.
    Catalogue,
    /// Every list.
    Lists,
    /// What shows this product, alone or in a list.
    Product(ProductId),
}

impl fmt::Display for CacheTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue => f.write_str("catalogue"),
            Self::Lists => f.write_str("lists"),
            Self::Product(id) => write!(f, "product:{id}"),
        }
    }
}

/// The names by which an answer about the catalogue is forgotten.
#[derive(Debug)]
pub struct CacheTags(Vec<CacheTag>);

impl CacheTags {
    /// Those of an answer that shows a product.
    #[must_use]
    pub fn of_product(id: &ProductId) -> Self {
        Self(vec![CacheTag::Catalogue, CacheTag::Product(id.clone())])
    }

    /// Those of a page of a list.
    pub fn of_list<'i>(products: impl Iterator<Item = &'i ProductId>) -> Self {
        let products = products.map(|id| CacheTag::Product(id.clone()));
        Self([CacheTag::Catalogue, CacheTag::Lists].into_iter().chain(products).collect())
    }

    /// The value of the header; none where CloudFront would not read all of it.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let tags: Vec<_> = self.0.iter().map(CacheTag::to_string).collect();
        HeaderValue::try_from(tags.join(",")).ok().filter(|_| self.0.len() <= MAX_TAGS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_no_more_tags_than_cloudfront_reads() {
        let ids: Vec<ProductId> = (0..49).map(|number| format!("prod-{number}").parse().unwrap()).collect();
        let header = CacheTags::of_list(ids[..48].iter()).header().unwrap();
        let tags: Vec<_> = header.to_str().unwrap().split(',').collect();
        assert_eq!((tags.len(), tags[0], tags[1], tags[49]), (50, "catalogue", "lists", "product:prod-47"));
        assert!(CacheTags::of_list(ids.iter()).header().is_none());
    }

    #[test]
    fn every_id_fits_into_a_tag() {
        let longest: ProductId = "p".repeat(64).parse().unwrap();
        for id in [longest, "a:b".parse().unwrap_or_else(|_| "a-b".parse().unwrap())] {
            let tag = CacheTag::Product(id).to_string();
            assert!(
                tag.len() <= 256 && tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','),
                "{tag}"
            );
        }
    }

    #[test]
    fn the_header_says_what_the_constant_says() {
        assert!(SHARED_ONLY.ends_with(&format!("s-maxage={}", SHARED_CACHE.as_secs())));
    }
}

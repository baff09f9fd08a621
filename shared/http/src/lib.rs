//! HTTP, the same on every route: requests read with all their errors at once, answers with an `ETag`,
//! errors as problem+json (RFC 9457), lists with cursors, access checked before the handler runs.
//!
//! A route implements [`Route`]; [`function`] makes it a Lambda function. Nothing here knows a
//! table or an AWS service.

pub use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

mod asked;
mod audit;
mod browser;
mod cache;
mod call;
mod code;
mod content;
mod contract;
mod cursor;
mod edge;
mod endpoint;
mod entity_tag;
mod event;
mod idempotency;
mod input;
mod members;
mod number;
mod precondition;
mod problem;
mod reply;
mod route;
#[cfg(test)]
mod route_tests;
mod service;
mod start;
mod unknown_route;

pub use asked::Asked;
pub use cache::{CACHE_TAG, CacheTag, CacheTags, SHARED_CACHE};
pub use call::{Call, MAX_BODY_BYTES, MAX_LIMIT, PageRequest};
pub use code::{Code, FieldCode};
pub use contract::{Answer, AnswerBody, Contract};
pub use cursor::{Cursor, InvalidCursor};
pub use edge::Edge;
pub use endpoint::{Endpoint, delete, fits, get, patch, post, put};
pub use entity_tag::EntityTag;
pub use idempotency::{IdempotencyKey, fingerprint, request_hash};
pub use input::{Describe, ITEM, Input, Keyword, Node, Object};
pub use members::Members;
pub use precondition::{Precondition, has_tag};
pub use problem::{FieldError, Problem, instance};
pub use reply::{Decimal, Page, Reply};
pub use route::{Access, Route, SECURITY_HEADERS};
pub use service::{RouteInfo, Service, function, route};
pub use start::Start;
pub use unknown_route::unknown_route;

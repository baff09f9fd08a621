//! The API as a whole: what belongs to no service.
//!
//! | route | handler | binary |
//! |---|---|---|
//! | `$default` | [`answer_unknown_route`] | answer-unknown-route |

pub mod answer_unknown_route;

use shop_lambda::Function;

/// Every function of this crate.
pub const FUNCTIONS: &[Function] = &[answer_unknown_route::FUNCTION];

//! Where a route answers.

use std::fmt;

use lambda_http::http::Method;

/// A method and a path, as template.yaml has them: `{id}` stands for what varies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The method. `GET` brings `HEAD` along.
    pub method: Method,
    /// The path, with `{id}` for what varies.
    pub path: &'static str,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

macro_rules! endpoints {
    ($($name:ident $method:ident),*) => {
        $(
            #[doc = concat!("`", stringify!($method), "` at a path.")]
            #[must_use]
            pub const fn $name(path: &'static str) -> Endpoint {
                Endpoint { method: Method::$method, path }
            }
        )*
    };
}
endpoints!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

/// Whether a path is one of a pattern's, in which `{id}` stands for what varies.
#[must_use]
pub fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("{id}"), Some(segment)) if !segment.is_empty() => {}
            (Some(expected), Some(segment)) if expected == segment => {}
            _ => return false,
        }
    }
}

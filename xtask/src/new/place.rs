//! Where a route goes, and what every new one needs.

use anyhow::Result;

use super::name::Name;
use super::registry::Home;
use super::text::behind_last;
use super::tree::Tree;

/// Where a route goes.
pub(super) struct Place<'a> {
    pub(super) home: &'a Home,
    pub(super) path: &'a str,
    pub(super) name: Name,
    pub(super) table: String,
    /// The variable that names the table.
    pub(super) variable: String,
    /// The table's key attributes.
    pub(super) keys: Vec<String>,
}

impl Place<'_> {
    /// What the matrix of who may do what expects where the caller may: it asks of an order, a product or a user that
    /// is there, and of nothing else.
    pub(super) fn status_of_an_item(&self, found: u16) -> u16 {
        let is_there = ["/orders/", "/products/", "/users/"].iter().any(|items| self.path.starts_with(items));
        if is_there { found } else { 404 }
    }
}

/// The article of a noun.
pub(super) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// A row of the matrix of who may do what.
pub(super) fn add_row(tree: &mut Tree, route: &str, statuses: &str) -> Result<()> {
    let row = format!("    (\"{route}\", {statuses}),");
    tree.edit("tests/services/tests/authorization.rs", |text| {
        behind_last(text, "const MATRIX: &[(&str, [u16; 5])] = &[", "\", [", &row)
    })
}

//! A service's own list, at the head of its crate, and the list of services.

use anyhow::{Context, Result};

use super::name::Name;
use super::text::{before, in_order};
use super::tree::Tree;

/// Adds the module of a route, and the route.
pub(super) fn add_route(tree: &mut Tree, service: &Name, name: &Name) -> Result<()> {
    let entry = format!("route::<{}::{}>()", name.snake(), name.camel());
    add(tree, service, name, "routes: &[", &entry)
}

/// Adds the module of a function without a route, and the function.
pub(super) fn add_function(tree: &mut Tree, service: &Name, name: &Name) -> Result<()> {
    add(tree, service, name, "others: &[", &format!("{}::FUNCTION", name.snake()))
}

fn add(tree: &mut Tree, service: &Name, name: &Name, list: &str, entry: &str) -> Result<()> {
    tree.edit(&format!("functions/{}/src/lib.rs", service.kebab()), |text| {
        let first = text.lines().find(|line| line.starts_with("pub mod ")).context("it has no module")?;
        let module = format!("pub mod {};", name.snake());
        let text = if first > module.as_str() {
            before(text, &format!("\n{first}\n"), &format!("\n{module}"))?
        } else {
            in_order(text, first, "pub mod ", &module)?
        };
        into_list(&text, list, entry)
    })
}

/// Puts an entry at the end of a list in brackets, which may stand on one line; rustfmt does the rest.
pub(super) fn into_list(text: &str, list: &str, entry: &str) -> Result<String> {
    let start = text.find(list).with_context(|| format!("it has no `{list}`"))? + list.len();
    let end = start + text[start..].find(']').with_context(|| format!("`{list}` has no end"))?;
    let items = text[start..end].trim().trim_end_matches(',');
    let separator = if items.is_empty() { "" } else { ", " };
    Ok(format!("{}{items}{separator}{entry}{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_to_the_end_of_its_list() {
        assert_eq!(into_list("a: &[]", "a: &[", "x").unwrap(), "a: &[x]");
        assert_eq!(into_list("a: &[w(), b], c: []", "a: &[", "x").unwrap(), "a: &[w(), b, x], c: []");
        assert_eq!(into_list("a: &[\n  w,\n]", "a: &[", "x").unwrap(), "a: &[w, x]");
        assert!(into_list("b: &[]", "a: &[", "x").is_err());
    }
}

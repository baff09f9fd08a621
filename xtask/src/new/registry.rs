//! A service's own list, at the head of its crate, and the list of services.

use anyhow::{Context, Result};

use super::name::Name;
use super::text::{before, in_order};
use super::tree::Tree;

/// Where a new function's module lies: at the top of its service, or in the folder of a subject.
pub(super) struct Home {
    service: Name,
    subject: Option<Name>,
}

impl Home {
    /// Reads the names.
    ///
    /// # Errors
    /// One is none.
    pub(super) fn parse(service: &str, subject: Option<&str>) -> Result<Self> {
        Ok(Self { service: Name::parse(service)?, subject: subject.map(Name::parse).transpose()? })
    }

    pub(super) const fn service(&self) -> &Name {
        &self.service
    }

    /// The file of a function.
    pub(super) fn file(&self, name: &Name) -> String {
        let subject = self.subject.as_ref().map(|subject| subject.snake() + "/").unwrap_or_default();
        format!("functions/{}/src/{subject}{}.rs", self.service.kebab(), name.snake())
    }

    /// Adds the module of a route, and the route.
    pub(super) fn add_route(&self, tree: &mut Tree, name: &Name) -> Result<()> {
        let entry = format!("route::<{}::{}>()", self.module(name), name.camel());
        self.add(tree, name, "routes: &[", &entry)
    }

    /// Adds the module of a function without a route, and the function.
    pub(super) fn add_function(&self, tree: &mut Tree, name: &Name) -> Result<()> {
        self.add(tree, name, "others: &[", &format!("{}::FUNCTION", self.module(name)))
    }

    fn module(&self, name: &Name) -> String {
        let subject = self.subject.as_ref().map(|subject| subject.snake() + "::").unwrap_or_default();
        subject + &name.snake()
    }

    fn add(&self, tree: &mut Tree, name: &Name, list: &str, entry: &str) -> Result<()> {
        let folder = format!("functions/{}/src", self.service.kebab());
        let parent = match &self.subject {
            Some(subject) => format!("{folder}/{}/mod.rs", subject.snake()),
            None => format!("{folder}/lib.rs"),
        };
        tree.edit(&parent, |text| with_module(text, &format!("pub mod {};", name.snake())))?;
        tree.edit(&format!("{folder}/lib.rs"), |text| into_list(text, list, entry))
    }
}

/// Puts a module among those that are public.
fn with_module(text: &str, module: &str) -> Result<String> {
    let first = text.lines().find(|line| line.starts_with("pub mod ")).context("it has no module")?;
    if first > module {
        before(text, &format!("\n{first}\n"), &format!("\n{module}"))
    } else {
        in_order(text, first, "pub mod ", module)
    }
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
    fn a_module_goes_among_those_that_are_public() {
        let text = "//! A subject.\n\nmod a;\npub mod b;\nmod c;\npub mod d;\n";
        let with = |module: &str| with_module(text, module).unwrap();
        assert_eq!(with("pub mod aa;"), text.replace("pub mod b;", "pub mod aa;\npub mod b;"));
        assert_eq!(with("pub mod bb;"), text.replace("pub mod d;", "pub mod bb;\npub mod d;"));
        assert_eq!(with("pub mod e;"), text.replace("pub mod d;", "pub mod d;\npub mod e;"));
        assert!(with_module("//! Nothing.\n", "pub mod a;").is_err());
    }

    #[test]
    fn a_function_lies_in_its_service_or_in_a_subject_of_it() {
        let name = Name::parse("get-gift").unwrap();
        let flat = Home::parse("gift-cards", None).unwrap();
        assert_eq!(flat.file(&name), "functions/gift-cards/src/get_gift.rs");
        assert_eq!(flat.module(&name), "get_gift");
        let below = Home::parse("gift-cards", Some("paper-cards")).unwrap();
        assert_eq!(below.file(&name), "functions/gift-cards/src/paper_cards/get_gift.rs");
        assert_eq!(below.module(&name), "paper_cards::get_gift");
        assert!(Home::parse("gift-cards", Some("../x")).is_err());
    }

    #[test]
    fn an_entry_goes_to_the_end_of_its_list() {
        assert_eq!(into_list("a: &[]", "a: &[", "x").unwrap(), "a: &[x]");
        assert_eq!(into_list("a: &[w(), b], c: []", "a: &[", "x").unwrap(), "a: &[w(), b, x], c: []");
        assert_eq!(into_list("a: &[\n  w,\n]", "a: &[", "x").unwrap(), "a: &[w, x]");
        assert!(into_list("b: &[]", "a: &[", "x").is_err());
    }
}

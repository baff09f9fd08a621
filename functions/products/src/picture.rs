//! The address of a product's picture. Pure.

use shop_http::{FieldCode, Node};
use url::{Position, Url};

/// What browsers and CDNs take without trouble.
const MAX_URL: usize = 2048;

/// The storefront shows the picture in a page: an address of the web with a host, or a path on the shop's own site,
/// as the URL Standard understands and writes them. Nothing is fetched from there.
pub(crate) fn image_url(node: &Node<'_>) -> Option<String> {
    let text = node.opaque_text(1..=MAX_URL)?;
    let address = if text.starts_with('/') { path(&text) } else { address(&text) };
    if let Some(address) = address.filter(|address| address.len() <= MAX_URL) {
        return Some(address);
    }
    node.error(
        FieldCode::InvalidUrl,
        "This must be an http(s):// address without a user name, or a path that starts with '/'.",
    );
    None
}

fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    // A user name before the host makes an address look like another's.
    (is_web && url.username().is_empty() && url.password().is_none()).then(|| url.into())
}

/// A path, which must not lead to another host: `//host` and `/\\host` do.
fn path(text: &str) -> Option<String> {
    let here = Url::parse("https://here.invalid/").ok()?;
    let url =
        here.join(text).ok().filter(|url| url.origin() == here.origin() && url.username().is_empty())?;
    // `/.//host` stays here, and what is left of it would not.
    Some(url[Position::BeforePath..].to_owned()).filter(|path| !path.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_are_taken_as_the_url_standard_writes_them() {
        for (given, kept) in [
            ("https://images.example/a.jpg?w=1#x", "https://images.example/a.jpg?w=1#x"),
            ("http://images.example/a.jpg", "http://images.example/a.jpg"),
            ("HTTPS://Images.Example:443/a", "https://images.example/a"),
            ("https://images.example:8443", "https://images.example:8443/"),
            ("https://münchen.example/ä b", "https://xn--mnchen-3ya.example/%C3%A4%20b"),
            ("https://[2001:db8::1]/a.jpg", "https://[2001:db8::1]/a.jpg"),
            ("https://192.0.2.1/a.jpg", "https://192.0.2.1/a.jpg"),
            ("https://images.example/a/../b.jpg", "https://images.example/b.jpg"),
            ("https://images.example/a|b", "https://images.example/a|b"),
            ("https://images.example/a@b", "https://images.example/a@b"),
            ("/images/a b.jpg?w=1#x", "/images/a%20b.jpg?w=1#x"),
            ("/", "/"),
        ] {
            let made = if given.starts_with('/') { path(given) } else { address(given) };
            assert_eq!(made.as_deref(), Some(kept), "{given}");
        }
    }

    #[test]
    fn no_path_leads_to_another_host() {
        for other in [
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "/.//evil.example/",
            "/a/..//evil.example/",
        ] {
            assert_eq!(path(other), None, "{other:?}");
        }
    }
}

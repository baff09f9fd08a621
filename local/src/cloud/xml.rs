//! XML as some services answer with it.

/// Elements with texts.
pub(super) fn elements(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    fields.iter().map(|(name, text)| element(name, &escaped(text))).collect()
}

/// An element around XML.
pub(super) fn element(name: &str, xml: &str) -> String {
    format!("<{name}>{xml}</{name}>")
}

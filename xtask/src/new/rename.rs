//! A skeleton's text with its names put in.

/// The text with each `{{key}}` replaced.
pub(super) fn fill(skeleton: &str, values: &[(&str, &str)]) -> String {
    let mut text = skeleton.to_owned();
    for (key, value) in values {
        text = text.replace(&format!("{{{{{key}}}}}"), value);
    }
    text
}

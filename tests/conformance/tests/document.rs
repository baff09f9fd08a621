//! docs/conformance.md is what the checks and the known differences say.
//! `UPDATE_CONFORMANCE=1 cargo test -p conformance` writes it anew.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use conformance::report;

/// What is before it is by hand, and what is behind it is generated.
const GENERATED: &str = "<!-- Generated: UPDATE_CONFORMANCE=1 cargo test -p conformance -->";

#[test]
fn the_document_lists_every_check_and_every_difference() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let text = fs::read_to_string(&path)?;
    let (by_hand, _) = text.split_once(GENERATED).context("docs/conformance.md has no generated part")?;
    let expected = format!("{by_hand}{GENERATED}\n\n{}\n", report::document());
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        fs::write(&path, expected)?;
    } else {
        ensure!(text == expected, "docs/conformance.md is not what the checks say: UPDATE_CONFORMANCE=1");
    }
    Ok(())
}

//! What follows from the registry and the template is written as it follows.

use std::path::Path;

#[test]
fn sync_changes_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = sync::output(&root).unwrap();
    assert_eq!(output.differences().unwrap(), [], "run cargo xtask sync");
}

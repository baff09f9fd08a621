//! State that cannot be used: the shop does not start with it, says why, and says what can be done.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by a panic")]


use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::support::{Shop, run, signal};

/// A folder that a shop has used.
fn used() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start(&["--data", folder.path().to_str().unwrap()]);
    signal(shop.id(), "TERM");
    assert!(shop.wait());
    folder
}

/// What a start with the folder says, which fails.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let arguments = [&["--port", "0", "--data", folder.to_str().unwrap()], arguments].concat();
    let output = run(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let folder = folder.canonicalize().unwrap();
    for remedy in [format!("rm -r {}", folder.display()), "--data DIR".to_owned(), "--memory".to_owned()] {
        assert!(said.contains(&remedy), "{remedy}: {said}");
    }
    assert_eq!(said.lines().filter(|line| line.starts_with("error:")).count(), 1, "{said}");
    said
}

#[test]
fn another_definition_of_a_table() {
    let folder = used();
    let template =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap();
    let changed = folder.path().with_extension("yaml");
    let index = "Projection: { ProjectionType: ALL }";
    assert!(template.contains(index));
    fs::write(&changed, template.replacen(index, "Projection: { ProjectionType: KEYS_ONLY }", 1)).unwrap();
    let said = refused(folder.path(), &["--template", changed.to_str().unwrap()]);
    fs::remove_file(changed).unwrap();
    assert!(said.contains("ProductsTable has another definition"), "{said}");
}

#[test]
fn a_file_that_is_no_database() {
    for name in ["dynamodb.sqlite", "queues.sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "no database ".repeat(1000)).unwrap();
        assert!(refused(folder.path(), &[]).contains(name));
    }
}

#[test]
fn an_emptied_or_missing_file() {
    let folder = used();
    fs::write(folder.path().join("dynamodb.sqlite"), "").unwrap();
    assert!(refused(folder.path(), &[]).contains("dynamodb.sqlite is empty"));
    let folder = used();
    fs::remove_file(folder.path().join("queues.sqlite")).unwrap();
    assert!(refused(folder.path(), &[]).contains("queues.sqlite is empty"));
}

#[test]
fn damaged_pages() {
    for name in ["dynamodb.sqlite", "queues.sqlite"] {
        let folder = used();
        let mut file = fs::File::options().write(true).open(folder.path().join(name)).unwrap();
        let length = file.metadata().unwrap().len();
        // All but the first page, which says what the file is.
        file.seek(SeekFrom::Start(4096)).unwrap();
        file.write_all(&vec![0x5a; usize::try_from(length - 4096).unwrap()]).unwrap();
        drop(file);
        refused(folder.path(), &[]);
    }
}

#[test]
fn a_used_folder_that_is_whole_is_taken_again() {
    let folder = used();
    let shop = Shop::start(&["--data", folder.path().to_str().unwrap()]);
    signal(shop.id(), "TERM");
    assert!(shop.wait());
}

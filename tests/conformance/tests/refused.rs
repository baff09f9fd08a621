//! The command against an endpoint where nothing can be created.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

#[test]
fn what_is_known_of_the_embedded_cloud_is_shown_where_an_emulator_creates_nothing() {
    // A port that nobody listens at: it was free a moment ago.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let ended =
        Command::new(env!("CARGO_BIN_EXE_conformance")).args(["--endpoint", &endpoint]).output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("queues::an_old_receipt_deletes_nothing "), "no table: {said}");
    assert!(said.contains(" conform, 0 differ, 0 not as known"), "{said}");
    assert!(said.contains("emulator: not checked, what the checks need cannot be created there"), "{said}");
}

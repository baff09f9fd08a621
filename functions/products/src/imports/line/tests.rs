//! Lines as the API reads them.

use serde_json::json;
use shop_types::{Currency, Money};

use super::*;
use crate::product::tests::product;

const IMPORT: &str = "imp_01jd9c3k7m2q8r5t6v0w1x2y3z";
const STARTED_AT: Timestamp = Timestamp::from_millis(8000);

fn import() -> ImportId {
    IMPORT.parse().unwrap()
}

fn decide(line: &Line, stored: Option<&Product>) -> Decision {
    let (import, cause) = (import(), Cause::request("import"));
    let started_at = Some(STARTED_AT);
    line.decide(
        stored,
        &Author { import: &import, started_at, cause: &cause, now: Timestamp::from_millis(9000) },
    )
}

fn csv(header: &str, text: &str) -> (Vec<Line>, Vec<RefusedLine>) {
    let columns: Vec<_> = header.split(',').map(str::to_owned).collect();
    read(Format::Csv, &columns, text.as_bytes(), 2, &import())
}

fn jsonl(text: &str) -> Line {
    let (mut lines, refused) = read(Format::Jsonl, &[], text.as_bytes(), 1, &import());
    assert_eq!(refused, []);
    lines.remove(0)
}

fn refusal(decision: Decision) -> Vec<(Option<String>, String)> {
    match decision {
        Decision::Refuse(errors) => errors.into_iter().map(|error| (error.column, error.code)).collect(),
        other => panic!("{other:?}"),
    }
}

fn error(column: &str, code: &str) -> (Option<String>, String) {
    (Some(column.to_owned()), code.to_owned())
}

/// Holds that the product stays as it is, but for the line that said so.
fn assert_noted(decision: Decision, stored: &Product) {
    let Decision::Replace(change) = decision else { panic!("{decision:?}") };
    let (before, after) = *change;
    assert_eq!(after.imported.as_ref().map(|imported| imported.started_at), Some(Some(STARTED_AT)));
    assert_eq!(Product { imported: None, ..after }, *stored);
    assert_eq!(before, *stored);
}

#[test]
fn a_new_product_is_read_as_a_body_is() {
    let (lines, refused) = csv("id,name,price,currency,stock", "mug,\"A \"\"mug\"\"\",29.90,JPY,\n");
    assert_eq!(refused, []);
    assert_eq!(refusal(decide(&lines[0], None)), [error("price", "too_many_digits")]);
    let (lines, _) = csv("name,price,stock", "Mug,29.90,7\nPot,0.50,\n");
    let Decision::Create(new) = decide(&lines[0], None) else { panic!("not created") };
    assert_eq!(new.0.price, Money { minor: 2990, currency: Currency::USD }, "and not a hundred times that");
    assert_eq!((new.1.available, new.0.imported.unwrap().line), (7, 2));
    let (again, _) = csv("name,price,stock", "Mug,29.90,7\nPot,0.50,\n");
    assert_eq!(lines[0].id, again[0].id, "the id follows from the import and the line");
    assert_ne!(lines[0].id, lines[1].id);
}

#[test]
fn every_mistake_of_a_line_has_its_column() {
    let (lines, _) = csv("id,name,price,stock", "a/b,,free,-1\n");
    let expected = [
        error("id", "invalid_id"),
        error("name", "missing"),
        error("price", "wrong_type"),
        error("stock", "out_of_range"),
    ];
    assert_eq!(refusal(decide(&lines[0], None)), expected);
    let line = jsonl(r#"{"name": "a", "name": "b", "price": 1, "colour": "blue"}"#);
    let expected = [error("name", "repeated"), error("colour", "unexpected")];
    let mut found = refusal(decide(&line, None));
    found.sort_by_key(|(column, _)| column.clone() == Some("colour".to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn a_line_that_is_none_is_refused_where_it_is() {
    let (lines, refused) = csv("name,price", "a,1,x\nb\nc,3\n");
    assert_eq!((lines.len(), lines[0].number), (1, 4));
    let codes: Vec<_> = refused.iter().map(|line| (line.line, line.errors[0].code.as_str())).collect();
    assert_eq!(codes, [(2, "unexpected"), (3, "missing")]);
    let (lines, refused) = read(Format::Csv, &["name".to_owned()], b"\xff\n", 2, &import());
    assert_eq!((lines.len(), refused[0].errors[0].code.as_str()), (0, "not_utf8"));
    let (_, refused) = read(Format::Jsonl, &[], b"[1]\n{\"a\":\n", 1, &import());
    let codes: Vec<_> = refused.iter().map(|line| (line.line, line.errors[0].code.as_str())).collect();
    assert_eq!(codes, [(1, "malformed_json"), (2, "malformed_json")]);
}

#[test]
fn a_product_changes_by_what_the_line_tells() {
    let change = |header: &str, text: &str| {
        let (lines, _) = csv(header, text);
        decide(&lines[0], Some(&product()))
    };
    let Decision::Replace(change_of_price) = change("id,price", "prod-1,30\n") else { panic!("not changed") };
    assert_eq!(change_of_price.1.price.minor, 3000);
    assert_eq!((change_of_price.1.version, change_of_price.1.category.as_deref()), (2, Some("kitchen")));
    let Decision::Replace(taken) = change("id,category", "prod-1,\n") else { panic!("not changed") };
    assert_eq!(taken.1.category, None);
    for same in ["prod-1,Mug,29.900,USD,kitchen,3", "prod-1,Mug,29.9,,kitchen,"] {
        let decision = change("id,name,price,currency,category,stock", same);
        assert_noted(decision, &product());
    }
    assert_eq!(refusal(change("id,currency", "prod-1,EUR\n")), [error("currency", "unexpected")]);
    assert_eq!(refusal(change("id,name", "prod-1,\n")), [error("name", "wrong_type")]);
}

#[test]
fn no_text_and_an_empty_one_are_the_same_in_csv_alone() {
    let empty = Product { description: Some(String::new()), ..product() };
    let (lines, _) = csv("id,description", "prod-1,\n");
    assert_noted(decide(&lines[0], Some(&empty)), &empty);
    let null = jsonl(r#"{"id": "prod-1", "description": null}"#);
    assert!(matches!(decide(&null, Some(&empty)), Decision::Replace(_)));
}

#[test]
fn a_withdrawn_currency_may_be_told_again() {
    let kuna = Product { price: Money { minor: 100, currency: "HRK".parse().unwrap() }, ..product() };
    let decision = |price: &str| {
        decide(
            &jsonl(
                &json!({ "id": "prod-1", "currency": "HRK" })
                    .to_string()
                    .replace('}', &format!(",\"price\":{price}}}")),
            ),
            Some(&kuna),
        )
    };
    assert_noted(decision("1.00"), &kuna);
    assert_eq!(refusal(decision("2.00")), [error("price", "invalid_currency")]);
}

#[test]
fn an_id_of_a_deleted_product_is_taken_and_a_line_that_was_here_is_done() {
    let line = jsonl(r#"{"id": "prod-1", "name": "Mug", "price": 1}"#);
    let deleted = product().deleted(Timestamp::from_millis(2000), Cause::request("r"));
    assert_eq!(refusal(decide(&line, Some(&deleted))), [error("id", "id_taken")]);
    let by = |started_at: Option<i64>, import: &str, line| {
        let started_at = started_at.map(Timestamp::from_millis);
        Some(ImportedLine { started_at, import: import.parse().unwrap(), line, members: None })
    };
    let (at, other) = (Some(STARTED_AT.as_millis()), "imp_01jd9c3k7m2q8r5t6v0w1x2y3a");
    // Deleted since, or changed by a later line of the file, or by an import that was started since.
    for done in [
        Product { imported: by(at, IMPORT, 1), ..deleted },
        Product { imported: by(at, IMPORT, 5), ..product() },
        Product { imported: by(at.map(|at| at + 1), other, 1), ..product() },
    ] {
        assert!(matches!(decide(&line, Some(&done)), Decision::Nothing));
    }
    for not in [by(at, IMPORT, 0), by(at.map(|at| at - 1), other, 9), by(None, other, 9)] {
        let other = Product { imported: not, ..product() };
        assert!(matches!(decide(&line, Some(&other)), Decision::Replace(_)));
    }
}

#[test]
fn of_lines_with_different_members_the_last_one_decides_each_in_whatever_order_they_come() {
    let (lines, _) = read(
        Format::Jsonl,
        &[],
        br#"{"id": "prod-1", "price": 50, "name": "Cup"}
            {"id": "prod-1", "price": 60, "category": "bath"}
            {"id": "prod-1", "category": "hall"}"#,
        1,
        &import(),
    );
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut product = product();
        for line in order.map(|line| &lines[line]) {
            match decide(line, Some(&product)) {
                Decision::Replace(change) => product = change.1,
                Decision::Nothing => panic!("{order:?}: all of them say something"),
                other => panic!("{other:?}"),
            }
        }
        let said = (product.name.as_str(), product.price.minor, product.category.as_deref());
        assert_eq!(said, ("Cup", 6000, Some("hall")), "{order:?}");
        // Delivered again they undo nothing that somebody changed since.
        let since = Product { name: "Beaker".into(), ..product };
        for line in &lines {
            assert!(matches!(decide(line, Some(&since)), Decision::Nothing), "{order:?}");
        }
    }
}

#[test]
fn a_line_that_comes_late_says_nothing_of_a_product_deleted_since_and_nothing_that_another_import_said() {
    let line = jsonl(r#"{"id": "prod-1", "price": 50}"#);
    let members = Some([("category".to_owned(), 5)].into());
    let imported = ImportedLine { started_at: Some(STARTED_AT), import: import(), line: 5, members };
    let product = Product { imported: Some(imported.clone()), ..product() };
    assert!(matches!(decide(&line, Some(&product)), Decision::Replace(_)));
    let wrong = jsonl(r#"{"id": "prod-1", "category": "", "price": 50}"#);
    assert_eq!(refusal(decide(&wrong, Some(&product))), [error("category", "wrong_length")]);
    let deleted = product.deleted(Timestamp::from_millis(9500), Cause::request("r"));
    assert!(matches!(decide(&line, Some(&deleted)), Decision::Nothing));
    let later = Some(Timestamp::from_millis(STARTED_AT.as_millis() + 1));
    let other = "imp_01jd9c3k7m2q8r5t6v0w1x2y3a".parse().unwrap();
    let newer = ImportedLine { started_at: later, import: other, ..imported };
    assert!(matches!(decide(&line, Some(&Product { imported: Some(newer), ..product })), Decision::Nothing));
}

#[test]
fn of_lines_with_the_same_columns_the_last_one_decides_all() {
    let (lines, _) = csv("id,price,category", "prod-1,50,\nprod-1,60,hall\n");
    let Decision::Replace(change) = decide(&lines[1], Some(&product())) else { panic!("not changed") };
    assert!(matches!(decide(&lines[0], Some(&change.1)), Decision::Nothing));
}

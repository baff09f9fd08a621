//! Bodies with every kind of error, and what is reported of each.

use super::*;

fn errors<T>(body: &str, read: impl FnOnce(&mut Object<'_>) -> Option<T>) -> Vec<(String, &'static str)> {
    let problem = Input::parse(body.as_bytes()).unwrap().read_object(read).err().unwrap();
    problem.errors().iter().map(|error| (error.pointer.clone(), error.code.as_str())).collect()
}

#[test]
fn every_error_is_named_at_its_place() {
    let body = r#"{"a": "x", "b": 0, "c": [1, "y"], "c": 1, "d/e~": 1, "f": 1.5, "g": "", "i": "\u200b ", "j": "a\nb", "k": "\ud800", "l": "a\u202eb"}"#;
    let found = errors(body, |object| {
        assert_eq!(object.required("a", |node| node.integer(1..=5_u32)), None);
        assert_eq!(object.optional("b", |node| node.integer(1..=5_u32)), None);
        let mut read = Vec::new();
        let elements = object.required("c", |node| {
            node.array(1..=2, |element| {
                read.push(element.integer(0..=9_i64));
                read.last().copied()?
            })
        });
        assert_eq!((elements, read), (None, vec![Some(1), None]));
        assert_eq!(object.nullable("f", |node| node.integer(1..=5_u32)), None);
        assert_eq!(object.required("g", |node| node.text(1..=5)), None);
        assert_eq!(object.required("h", |node| node.text(1..=5)), None);
        assert_eq!(object.required("i", |node| node.line(1..=5)), None);
        assert_eq!(object.required("j", |node| node.line(1..=5)), None);
        assert_eq!(object.required("k", |node| node.text(1..=5)), None);
        assert_eq!(object.required("l", |node| node.text(1..=5)), None);
        Some(())
    });
    let expected = [
        ("/a", "wrong_type"),
        ("/b", "out_of_range"),
        ("/c/1", "wrong_type"),
        ("/f", "wrong_type"),
        ("/g", "wrong_length"),
        ("/h", "missing"),
        ("/i", "blank"),
        ("/j", "line_break"),
        ("/k", "lone_surrogate"),
        ("/l", "control_character"),
        ("/c", "repeated"),
        ("/d~1e~0", "unexpected"),
    ];
    assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
}

#[test]
fn a_field_may_be_left_out_null_or_given() {
    let body = br#"{"null": null, "one": 1}"#;
    let read = Input::parse(body).unwrap().read_object(|object| {
        assert!(object.has("null") && object.has("one") && !object.has("absent"));
        let one = |node: &Node<'_>| node.integer(1..=1_u32);
        assert_eq!(object.optional("absent", one), Some(None));
        assert_eq!(object.nullable("absent", one), Some(None));
        assert_eq!(object.nullable("null", |node| Some(node.is_null())), Some(Some(true)));
        object.optional("one", one)
    });
    assert_eq!(read.ok(), Some(Some(1)));
    let null = |read: fn(&mut Object<'_>) -> Option<()>| errors(r#"{"null": null}"#, read);
    assert_eq!(null(|object| object.required("null", |_| Some(()))), [("/null".into(), "missing")]);
    assert_eq!(
        null(|object| object.nullable("null", |node| node.number().map(|_| ()))?),
        [("/null".into(), "wrong_type")]
    );
}

#[test]
fn a_value_is_none_where_an_error_was_recorded() {
    let body = br#"{"unknown": 1}"#;
    assert!(Input::parse(body).unwrap().read_object(|_| Some(())).is_err());
    assert!(Input::parse(b"[]").unwrap().read_object(|_| Some(())).is_err());
}

#[test]
fn bodies_that_are_no_json_are_refused() {
    for (body, code) in [
        (&b""[..], "empty_body"),
        (b"\xff", "not_utf8"),
        (b"\xEF\xBB\xBF{}", "byte_order_mark"),
        (b"{", "malformed_json"),
        (b"{} {}", "malformed_json"),
        (b"{\"a\": NaN}", "malformed_json"),
    ] {
        assert_eq!(Input::parse(body).err().map(|problem| problem.code().as_str()), Some(code), "{body:?}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        Input::parse(deep.as_bytes()).err().map(|problem| problem.code().as_str()),
        Some("malformed_json")
    );
}

#[test]
fn a_whole_number_is_one_however_it_is_written() {
    let read = |text: &str| {
        let body = format!(r#"{{"n": {text}}}"#);
        let read = Input::parse(body.as_bytes()).unwrap();
        let read = read.read_object(|object| object.required("n", |node| node.integer(-1000..=1000_i64)));
        read.map_err(|problem| problem.errors()[0].code.as_str())
    };
    for (text, value) in [
        ("2", 2),
        ("2.0", 2),
        ("2.000", 2),
        ("2e0", 2),
        ("2E+2", 200),
        ("0.2e1", 2),
        ("20e-1", 2),
        ("-0", 0),
        ("0.000e-99999999999999999999", 0),
        ("-1.50e1", -15),
        ("100000e-2", 1000),
    ] {
        assert_eq!(read(text), Ok(value), "{text}");
    }
    for (text, code) in [
        ("2.5", "wrong_type"),
        ("1e-1", "wrong_type"),
        ("15e-1", "wrong_type"),
        ("1e-99999999999", "wrong_type"),
        // Exponents that are numbers of 32 bits, and are none with a fraction's digits or zeros.
        ("1.55e-2147483647", "wrong_type"),
        ("1.55e-2147483648", "wrong_type"),
        ("10e2147483647", "out_of_range"),
        ("1.5e2147483647", "out_of_range"),
        ("1000e9223372036854775807", "out_of_range"),
        ("0.01e-9223372036854775807", "wrong_type"),
        ("1e4", "out_of_range"),
        ("1e99999999999999999999", "out_of_range"),
        ("-1e30", "out_of_range"),
        ("\"2\"", "wrong_type"),
    ] {
        assert_eq!(read(text), Err(code), "{text}");
    }
}

#[test]
fn a_name_that_is_no_text_is_told() {
    assert_eq!(errors(r#"{"\ud800": 1}"#, |_| Some(())), [(String::new(), "lone_surrogate")]);
}

#[test]
fn numbers_keep_their_text_and_overflow_is_out_of_range() {
    let body = r#"{"a": 29.990, "b": 99999999999999999999}"#;
    let found = errors(body, |object| {
        assert_eq!(object.required("a", |node| node.number().map(str::to_owned)), Some("29.990".into()));
        object.required("b", |node| node.integer(0..=i64::MAX))
    });
    assert_eq!(found, [("/b".into(), "out_of_range")]);
}

//! Files as people and programs write them, whole and in windows of any size.

use proptest::prelude::*;

use super::*;
use crate::imports::import::FailureCode;

fn failed<T: std::fmt::Debug>(result: Result<T, Failure>) -> (u64, FailureCode) {
    let failure = result.unwrap_err();
    (failure.line, failure.code)
}

/// The lines at which the records of a file begin, each with its first cell.
fn first_cells(bytes: &[u8], line: u64) -> Vec<(u64, String)> {
    cells(bytes, line)
        .into_iter()
        .map(|(line, cells)| (line, String::from_utf8_lossy(&cells[0]).into_owned()))
        .collect()
}

#[test]
fn a_header_may_have_a_mark_and_either_line_end() {
    for text in ["id,price\nx", "\u{feff}id,price\r\nx", "\"id\",\" price \"\nx", "\n\r\nid,price\nx"] {
        let (columns, place) = head(Format::Csv, text.as_bytes(), true).unwrap();
        assert_eq!(columns, ["id", "price"], "{text:?}");
        let window = &text.as_bytes()[usize::try_from(place.offset).unwrap()..];
        let (parts, end, failure) = parts(Format::Csv, window, true, place);
        assert_eq!(failure, None);
        assert_eq!((parts.len(), end.records, parts[0].to), (1, 1, count(text.len())), "{text:?}");
        assert_eq!(parts[0].line, 1 + lines(Format::Csv, &text.as_bytes()[..text.len() - 1]), "{text:?}");
    }
}

#[test]
fn what_is_no_file_of_its_format_is_told_at_once() {
    let csv = |text: &[u8]| failed(head(Format::Csv, text, true));
    assert_eq!(csv(b""), (1, FailureCode::EmptyFile));
    assert_eq!(csv(b"\xef\xbb\xbf\r\n  \n"), (1, FailureCode::EmptyFile));
    assert_eq!(csv(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), (1, FailureCode::UnknownColumn));
    assert_eq!(csv(b"PK\x03\x04\xff\xfe\x00\n"), (1, FailureCode::NotCsv));
    assert_eq!(csv(b"id;name;price\n"), (1, FailureCode::UnknownColumn));
    assert_eq!(csv(b"\nid,name,id\n"), (2, FailureCode::DuplicateColumn));
    assert_eq!(csv(b"name,stock\n"), (1, FailureCode::MissingColumn));
    assert_eq!(csv(b"{\"id\": \"a\"}\n"), (1, FailureCode::UnknownColumn));
    let endless = vec![b'x'; 2 * MAX_RECORD];
    assert_eq!(failed(head(Format::Csv, &endless, false)), (1, FailureCode::NotCsv));
    assert_eq!(failed(head(Format::Jsonl, b"id,name\n", true)), (1, FailureCode::NotJsonLines));
    assert_eq!(failed(head(Format::Jsonl, b"", true)), (1, FailureCode::EmptyFile));
}

#[test]
fn a_line_end_in_quotes_ends_nothing() {
    let text = b"a,\"x\ny\"\r\nb,\"\"\"\n\"\n\n\nc,1\"2\n\"d\n\",e";
    assert_eq!(
        first_cells(text, 7),
        [(7, "a".into()), (9, "b".into()), (13, "c".into()), (14, "d\n".into())]
    );
}

#[test]
fn a_record_without_an_end_is_told_where_it_begins() {
    let place = Place { offset: 0, line: 1, ..Place::default() };
    let open = [b"a,b\n\"".to_vec(), vec![b'x'; usize::try_from(WINDOW).unwrap()]].concat();
    let fails = |format, window: &[u8], is_last| {
        let (parts, end, failure) = parts(format, window, is_last, place);
        let failure = failure.unwrap();
        assert_eq!(failure.code, FailureCode::RecordTooLong);
        (parts.len(), end.records, failure.line)
    };
    for is_last in [false, true] {
        assert_eq!(fails(Format::Csv, &open, is_last), (1, 1, 2), "what comes before is found");
    }
    let line = [b"{}\n\n{}\n".to_vec(), vec![b'x'; MAX_RECORD + 1]].concat();
    for is_last in [false, true] {
        assert_eq!(fails(Format::Jsonl, &line, is_last), (1, 2, 4));
    }
}

#[test]
fn a_mark_that_is_not_closed_swallows_no_lines() {
    let place = Place { offset: 0, line: 2, ..Place::default() };
    for (text, line) in [
        // Up to the end of the file, or to the next mark.
        ("a,1\nb,\"2\nc,3\nd,4\n", 3),
        ("a,1\n\nb,\"2\nc,\"3\"\nd,4\n", 4),
        ("a,\"1\n2\"\nb,\"2\"\"\n", 4),
        ("a,1\n\"b\" ,2\n", 3),
    ] {
        let (parts, end, failure) = parts(Format::Csv, text.as_bytes(), true, place);
        let failure = failure.unwrap();
        assert_eq!((failure.line, failure.code), (line, FailureCode::NotCsv), "{text:?}");
        assert_eq!((parts.len(), end.records), (1, 1), "what comes before is found: {text:?}");
    }
    assert_eq!(failed(head(Format::Csv, b"id,\"price\na,1\n", true)), (1, FailureCode::NotCsv));
    let sound = "a,\"\"\r\n\"b\"\"\",\"\"\"\"\nc\"d,5\"\n,\n\"e\"";
    let (_, end, failure) = parts(Format::Csv, sound.as_bytes(), true, place);
    assert_eq!((end.records, failure), (5, None));
}

#[test]
fn a_window_that_holds_nothing_is_gone_behind() {
    let place = Place { offset: 5, line: 2, ..Place::default() };
    let size = index(WINDOW);
    let read = |format, window: &[u8]| {
        let (parts, next, failure) = parts(format, window, false, place);
        assert_eq!(failure, None);
        (parts.len(), next.offset - 5, next.line)
    };
    for format in [Format::Csv, Format::Jsonl] {
        assert_eq!(read(format, &vec![b'\n'; size]), (0, WINDOW, 2 + WINDOW), "{format:?}");
        // Behind a record, and before one that is not whole.
        let window = [b"a,1\n".to_vec(), vec![b'\n'; size], b"b,2".to_vec()].concat();
        assert_eq!(read(format, &window), (1, 4 + WINDOW, 3 + WINDOW), "{format:?}");
        // What may be half a line end is left to the next one.
        let window = b"\r\n".repeat(size / 2);
        assert_eq!(read(format, &window[..size - 1]), (0, WINDOW - 2, 1 + WINDOW / 2), "{format:?}");
    }
    assert_eq!(read(Format::Jsonl, &vec![b' '; size]), (0, WINDOW, 2));
}

#[test]
fn each_record_of_any_line_ends_has_a_line_of_its_own() {
    let place = Place { offset: 0, line: 1, ..Place::default() };
    for (text, expected) in [
        ("a,1\rb,2\rc,3\r", vec![1, 2, 3]),
        ("a,1\nb,2\rc,3\r\nd,4", vec![1, 2, 3, 4]),
        ("a,1\r\rb,2\r\n\r\nc,3\n\rd,4", vec![1, 3, 5, 7]),
        ("\"a\r\",\"1\r\n2\"\rb,2\r", vec![1, 4]),
    ] {
        let lines: Vec<_> = first_cells(text.as_bytes(), 1).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, expected, "{text:?}");
        let (parts, next, failure) = parts(Format::Csv, text.as_bytes(), true, place);
        assert_eq!((parts[0].line, failure), (1, None));
        assert!(next.line >= *expected.last().unwrap(), "{text:?}");
        for window in 1..text.len() {
            let (records, _) = in_windows(Format::Csv, text.as_bytes(), window);
            let lines: Vec<_> = records.into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, expected, "{text:?} in windows of {window}");
        }
    }
    let (_, behind) = head(Format::Csv, b"\rid,price\ra,1\r", true).unwrap();
    assert_eq!((behind.offset, behind.line), (10, 3));
    let (_, behind) = head(Format::Csv, b"id,price\r\na,1\r\n", true).unwrap();
    assert_eq!((behind.offset, behind.line), (10, 2), "CRLF is one line end");
}

#[test]
fn a_part_has_a_bound() {
    let lines: Vec<_> = (0..1201).map(|n| format!("id-{n},1\n")).collect();
    let text = lines.concat();
    let place = Place { offset: 3, line: 2, parts: 5, records: 9 };
    let (parts, end, failure) = parts(Format::Csv, text.as_bytes(), true, place);
    assert_eq!(failure, None);
    assert_eq!(
        parts.iter().map(|part| (part.number, part.line)).collect::<Vec<_>>(),
        [(6, 2), (7, 502), (8, 1002)]
    );
    assert_eq!((end.parts, end.records, end.offset), (8, 1210, 3 + count(text.len())));
    for pair in parts.windows(2) {
        assert_eq!(pair[0].to, pair[1].from);
    }
}

/// All records of a file that is read in windows of this size, and what ended the reading.
fn in_windows(format: Format, file: &[u8], window: usize) -> (Vec<(u64, Vec<u8>)>, Option<Failure>) {
    let mut place = Place { offset: 0, line: 1, ..Place::default() };
    let mut records = Vec::new();
    let mut size = window;
    let mut ended = None;
    while index(place.offset) < file.len() && ended.is_none() {
        let from = index(place.offset);
        let to = (from + size).min(file.len());
        let (found, next, failure) = parts(format, &file[from..to], to == file.len(), place);
        ended = failure;
        // A window that holds no whole record is too small: a real one is larger than any record.
        size = if next.offset == place.offset { size + window } else { window };
        for part in found {
            let bytes = &file[index(part.from)..index(part.to)];
            match format {
                Format::Csv => records.extend(
                    cells(bytes, part.line)
                        .into_iter()
                        .map(|(line, cells)| (line, cells.as_slice().to_vec())),
                ),
                Format::Jsonl => records.extend(
                    objects(bytes, part.line).into_iter().map(|(line, object)| (line, object.to_vec())),
                ),
            }
        }
        place = next;
    }
    assert_eq!(place.records, count(records.len()));
    (records, ended)
}

proptest! {
    #[test]
    fn windows_of_any_size_find_the_same_records(
        file in "([ab\", ]|\r\n|\n|\r|\"a\n,\r\"\"b\"){0,40}",
        window in 1_usize..30,
    ) {
        let file = file.as_bytes();
        for format in [Format::Csv, Format::Jsonl] {
            prop_assert_eq!(in_windows(format, file, window), in_windows(format, file, file.len() + 1));
        }
    }

    #[test]
    fn a_record_is_where_it_says(cells in prop::collection::vec("[a\n\r\", ]{1,5}", 1..20)) {
        let mut file = Vec::new();
        let mut begins = Vec::new();
        for cell in &cells {
            begins.push(1 + lines(Format::Csv, &file));
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(&mut file);
            writer.write_record([cell.as_str(), "end"]).unwrap();
            writer.flush().unwrap();
        }
        let expected: Vec<_> = begins.into_iter().zip(cells.iter().cloned()).collect();
        prop_assert_eq!(first_cells(&file, 1), expected);
    }
}

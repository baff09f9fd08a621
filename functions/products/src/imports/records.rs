//! Where the records of a file begin and end. Pure: no AWS.
//!
//! A quoted cell of a CSV file may hold line ends, so that a file cannot be cut at any of them: it is read once from its
//! beginning, a window of bytes at a time, and cut at ends of records. What a window does not hold whole is left to the
//! next one.

use csv::{ByteRecord, Reader, ReaderBuilder};
use serde::{Deserialize, Serialize};

use super::import::{Failure, FailureCode, Format, Place};

/// How many bytes are looked at at once.
pub(crate) const WINDOW: u64 = 1024 * 1024;
/// More than any product has, however it is escaped.
pub(crate) const MAX_RECORD: usize = 128 * 1024;
/// How many records a part has at most, and how many bytes, unless it is one record.
const MAX_RECORDS: u32 = 500;
const MAX_PART: u64 = 512 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What a product may be told in.
pub(crate) const COLUMNS: [&str; 9] = [
    "id",
    "name",
    "description",
    "price",
    "currency",
    "category",
    "image_url",
    "stock",
    "low_stock_threshold",
];

/// A part of a file: whole records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The first is 1.
    pub(crate) number: u32,
    /// The first byte.
    pub(crate) from: u64,
    /// The byte behind the last.
    pub(crate) to: u64,
    /// The line that it begins in.
    pub(crate) line: u64,
}

/// A record of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: usize,
    to: usize,
    line: u64,
}

/// The parts of a window that begins at `place`, and where the next one does; and what is wrong behind them, where a record
/// has more bytes than a product can have, or nobody can tell where it ends.
pub(crate) fn parts(
    format: Format,
    window: &[u8],
    is_last: bool,
    place: Place,
) -> (Vec<Part>, Place, Option<Failure>) {
    let mut spans: Vec<Span> = Vec::new();
    let found = find_spans(format, window, is_last, place.line, &mut spans);
    let (mut parts, mut next, mut in_part): (Vec<Part>, _, _) = (Vec::new(), place, 0);
    for span in &spans {
        let (from, to) = (place.offset + count(span.from), place.offset + count(span.to));
        match parts.last_mut() {
            Some(part) if in_part < MAX_RECORDS && to - part.from <= MAX_PART => part.to = to,
            _ => {
                next.parts += 1;
                parts.push(Part { number: next.parts, from, to, line: span.line });
                in_part = 0;
            }
        }
        in_part += 1;
        next.records += 1;
    }
    // Behind lines that hold nothing as well: a window of nothing else would be read for ever.
    let (end, failure) = match found {
        Ok(end) => (end, None),
        Err(failure) => (spans.last().map_or(0, |span| span.to), Some(failure)),
    };
    next.line += lines(format, &window[..end]);
    next.offset += count(end);
    (parts, next, failure)
}

/// Finds the whole records of a window, without lines that hold nothing, up to the first that cannot be one; where what is
/// left to the next window begins.
fn find_spans(
    format: Format,
    window: &[u8],
    is_last: bool,
    line: u64,
    spans: &mut Vec<Span>,
) -> Result<usize, Failure> {
    let (mut seen, mut seen_lines) = (0, line);
    let mut push = |from: usize, to: usize| {
        let from = from + blank(format, &window[from..to]);
        seen_lines += lines(format, &window[seen..from]);
        seen = from;
        if to - from > MAX_RECORD {
            return Err(too_long(seen_lines));
        }
        if let Some(detail) = misquoted(format, &window[from..to]) {
            return Err(not_csv(seen_lines, detail));
        }
        spans.push(Span { from, to, line: seen_lines });
        Ok(())
    };
    // Where what is not whole begins.
    let mut rest = 0;
    match format {
        Format::Csv => {
            let mut reader = reader(window);
            let mut record = ByteRecord::new();
            // A slice in memory can be read, and rows may be of any length.
            while reader.read_byte_record(&mut record).unwrap_or(false) {
                let from = record.position().map_or(0, csv::Position::byte);
                let (from, to) = (index(from), end(window, &reader));
                if to >= window.len() && !is_last {
                    break;
                }
                push(from, to)?;
                rest = to;
            }
        }
        Format::Jsonl => {
            while rest < window.len() {
                let end = window[rest..].iter().position(|byte| *byte == b'\n');
                let to = match end {
                    Some(end) => rest + end + 1,
                    None if is_last => window.len(),
                    None => break,
                };
                if blank(format, &window[rest..to]) < to - rest {
                    push(rest, to)?;
                }
                rest = to;
            }
        }
    }
    if is_last {
        return Ok(window.len());
    }
    rest += blank(format, &window[rest..]);
    if window.len() - rest > MAX_RECORD {
        return Err(too_long(line + lines(format, &window[..rest])));
    }
    // The next window may begin with the other half of this line end, which is one.
    if rest == window.len() && window.ends_with(b"\r") {
        rest -= 1;
    }
    Ok(rest)
}

/// The cells of each record of a part, with the line that it begins in.
pub(crate) fn cells(bytes: &[u8], line: u64) -> Vec<(u64, ByteRecord)> {
    let mut reader = reader(bytes);
    let mut all = Vec::new();
    let mut record = ByteRecord::new();
    let (mut seen, mut seen_lines) = (0, line);
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let from = index(record.position().map_or(0, csv::Position::byte)).min(bytes.len());
        let from = from + blank(Format::Csv, &bytes[from..]);
        seen_lines += lines(Format::Csv, &bytes[seen..from]);
        seen = from;
        all.push((seen_lines, record.clone()));
    }
    all
}

/// The objects of a part of JSON lines, with their lines.
pub(crate) fn objects(bytes: &[u8], line: u64) -> Vec<(u64, &[u8])> {
    let numbered = bytes.split(|byte| *byte == b'\n').zip(line..);
    let objects = numbered.map(|(object, line)| (line, object.trim_ascii()));
    objects.filter(|(_, object)| !object.is_empty()).collect()
}

/// What comes before the records: the byte order mark, and a CSV file's header.
///
/// # Errors
/// The file does not begin as one of its format.
pub(crate) fn head(format: Format, window: &[u8], is_last: bool) -> Result<(Vec<String>, Place), Failure> {
    let failure = |line, column: Option<&str>, code, detail: &str| Failure {
        line,
        column: column.map(str::to_owned),
        code,
        detail: detail.to_owned(),
    };
    let mark = if window.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let body = &window[mark..];
    let blank = body.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if blank == body.len() && is_last {
        return Err(failure(1, None, FailureCode::EmptyFile, "The file has no line."));
    }
    let first_line = 1 + lines(format, &body[..blank]);
    let place = |offset: usize, line| Place { offset: count(offset), line, ..Place::default() };
    if format == Format::Jsonl {
        return if body.get(blank) == Some(&b'{') {
            Ok((Vec::new(), place(mark, 1)))
        } else {
            let detail = "A JSON object is expected on each line.";
            Err(failure(first_line, None, FailureCode::NotJsonLines, detail))
        };
    }
    let mut reader = reader(body);
    let mut record = ByteRecord::new();
    let is_read = reader.read_byte_record(&mut record).unwrap_or(false);
    let end = end(body, &reader);
    if !is_read || end.saturating_sub(blank) > MAX_RECORD || (end == body.len() && !is_last) {
        return Err(not_csv(first_line, "The header is no line of a CSV file."));
    }
    if let Some(detail) = misquoted(format, &body[..end]) {
        return Err(not_csv(first_line, detail));
    }
    let mut columns: Vec<String> = Vec::with_capacity(record.len());
    for cell in &record {
        let Ok(column) = std::str::from_utf8(cell) else {
            return Err(not_csv(first_line, "The header is not text in UTF-8."));
        };
        let column = column.trim();
        let shown: String = column.chars().filter(|c| !c.is_control()).take(100).collect();
        if !COLUMNS.contains(&column) {
            let detail = format!("The columns are {}.", COLUMNS.join(", "));
            return Err(failure(first_line, Some(&shown), FailureCode::UnknownColumn, &detail));
        }
        if columns.iter().any(|other| other == column) {
            let detail = "The header has this column twice.";
            return Err(failure(first_line, Some(&shown), FailureCode::DuplicateColumn, detail));
        }
        columns.push(column.to_owned());
    }
    let has = |wanted: &str| columns.iter().any(|column| column == wanted);
    if let Some(missing) = ["name", "price"].into_iter().find(|wanted| !has(wanted) && !has("id")) {
        let detail = "A product without an id needs a name and a price.";
        return Err(failure(first_line, Some(missing), FailureCode::MissingColumn, detail));
    }
    Ok((columns, place(mark + end, 1 + lines(format, &body[..end]))))
}

/// What is wrong with the quotation marks of a record, by [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180#section-2), 5 to 7.
/// A reader that puts up with it takes other records for text of this one. Marks in a cell that begins with none are text.
fn misquoted(format: Format, record: &[u8]) -> Option<&'static str> {
    let mut bytes = record.iter().copied().peekable();
    let mut begins_cell = format == Format::Csv;
    while let Some(byte) = bytes.next() {
        if begins_cell && byte == b'"' {
            // Up to a mark that is not doubled.
            loop {
                match bytes.next() {
                    None => return Some("A quotation mark is not closed."),
                    Some(b'"') if bytes.next_if_eq(&b'"').is_none() => break,
                    Some(_) => {}
                }
            }
            if bytes.peek().is_some_and(|behind| !b",\r\n".contains(behind)) {
                return Some("There is text behind a closing quotation mark.");
            }
        }
        begins_cell = format == Format::Csv && byte == b',';
    }
    None
}

fn not_csv(line: u64, detail: &str) -> Failure {
    Failure { line, column: None, code: FailureCode::NotCsv, detail: detail.to_owned() }
}

pub(super) fn too_long(line: u64) -> Failure {
    Failure {
        line,
        column: None,
        code: FailureCode::RecordTooLong,
        detail: format!("The record has more than {MAX_RECORD} bytes. Is a quotation mark not closed?"),
    }
}

fn reader(bytes: &[u8]) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
}

/// Where the record ends that was read last: behind all of its line end. The reader stops amid CRLF.
fn end(bytes: &[u8], reader: &Reader<&[u8]>) -> usize {
    let end = index(reader.position().byte()).min(bytes.len());
    if bytes[..end].ends_with(b"\r") && bytes[end..].starts_with(b"\n") { end + 1 } else { end }
}

/// How many bytes hold nothing before a record begins.
fn blank(format: Format, bytes: &[u8]) -> usize {
    let holds_nothing = |byte: &u8| match format {
        Format::Csv => b"\r\n".contains(byte),
        Format::Jsonl => byte.is_ascii_whitespace(),
    };
    bytes.iter().take_while(|byte| holds_nothing(byte)).count()
}

/// How many lines end in these bytes, which are not cut amid CRLF. In CSV each of what ends a record ends a line, also
/// between quotation marks: two records that began in one line would be one product's.
fn lines(format: Format, bytes: &[u8]) -> u64 {
    let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => format == Format::Csv && bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    count(ends.count())
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn index(byte: u64) -> usize {
    usize::try_from(byte).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;

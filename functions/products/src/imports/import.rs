//! An import, as it is stored and shown. Pure: no AWS, no clock.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_events::Cause;
use shop_http::{FieldCode, Input, Problem};
use shop_types::{ImportId, Timestamp};

/// How long a file may be put under the address that the client was given.
pub(crate) const UPLOAD_TIME: Duration = Duration::from_mins(15);
/// How long an import is known. The bucket's rule of life has the same time.
pub(crate) const KEPT: Duration = Duration::from_hours(30 * 24);
/// The largest file, in bytes.
pub(crate) const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// How the products stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "FileFormat")]
pub(crate) enum Format {
    /// RFC 4180, with a header.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

impl Format {
    const ALL: [(&'static str, Self); 2] = [("csv", Self::Csv), ("jsonl", Self::Jsonl)];

    /// Reads a body that names one.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            body.required("format", |node| {
                node.one_of(&Self::ALL, FieldCode::UnknownFormat, "This must be csv or jsonl.")
            })
        })
    }

    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    #[must_use]
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
        }
    }
}

/// How far an import is, as it is stored: that all parts are done follows from their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The file is to be put, and the import to be started.
    Waiting,
    /// The file is being read.
    Reading,
    /// All of the file was read, so that the number of parts is known.
    Read,
    /// The file cannot be read, from some line on.
    Failed,
}

/// Where the reading of a file goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Behind so many bytes.
    pub(crate) offset: u64,
    /// In this line; the first is 1, and 0 is before it.
    pub(crate) line: u64,
    /// So many parts were found before.
    pub(crate) parts: u32,
    /// With so many records.
    pub(crate) records: u64,
}

/// Why a file cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImportFailure")]
pub(crate) struct Failure {
    /// The line.
    pub(crate) line: u64,
    /// The column of the header, where it is about one.
    pub(crate) column: Option<String>,
    /// What, for programs.
    pub(crate) code: FailureCode,
    /// What, for people.
    pub(crate) detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ImportFailureCode")]
pub(crate) enum FailureCode {
    /// The file has no line.
    EmptyFile,
    /// The header is no line of a CSV file in UTF-8, or a quotation mark is not closed or has text behind it.
    NotCsv,
    /// The first line is no JSON object.
    NotJsonLines,
    /// The header has a column that a product does not have.
    UnknownColumn,
    /// The header has a column twice.
    DuplicateColumn,
    /// The header has neither an id nor a name and a price.
    MissingColumn,
    /// A record has more bytes than a product can have.
    RecordTooLong,
    /// The file was replaced, or taken away, while it was read.
    FileChanged,
}

/// An import, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Import {
    #[serde(rename = "pk")]
    pub(crate) id: ImportId,
    pub(crate) format: Format,
    pub(crate) stage: Stage,
    pub(crate) place: Place,
    /// How often it was noted how far the file was read: whoever reads on has to have read the last time.
    #[serde(default)]
    pub(crate) reads: u64,
    /// The file's size in bytes, once the import was started.
    #[serde(default)]
    pub(crate) size: u64,
    /// Which file it was then: another one under the same key is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// The columns of a CSV file.
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// So many parts are done, and their lines are in the two below.
    #[serde(default)]
    pub(crate) parts_done: u32,
    #[serde(default)]
    pub(crate) accepted: u64,
    #[serde(default)]
    pub(crate) refused: u64,
    pub(crate) created_at: Timestamp,
    /// When it was started, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) updated_at: Timestamp,
    /// Seconds since the epoch: DynamoDB deletes the item some time after.
    pub(crate) expires_at: i64,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl Import {
    #[must_use]
    pub(crate) fn create(id: ImportId, format: Format, now: Timestamp, cause: Cause) -> Self {
        let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
        Self {
            id,
            format,
            stage: Stage::Waiting,
            place: Place::default(),
            reads: 0,
            size: 0,
            etag: None,
            columns: Vec::new(),
            failure: None,
            parts_done: 0,
            accepted: 0,
            refused: 0,
            created_at: now,
            started_at: None,
            updated_at: now,
            expires_at: now.as_millis() / 1000 + kept,
            cause,
        }
    }

    /// The import when its file cannot be read further.
    #[must_use]
    pub(crate) fn failed(self, failure: Failure) -> Self {
        Self { stage: Stage::Failed, failure: Some(failure), ..self }
    }

    /// The import when a window was read up to a place.
    ///
    /// A window behind which nothing is read on would be read for ever, so that it ends the import, whatever the reason is.
    #[must_use]
    pub(crate) fn read_to(self, place: Place, is_last: bool, failure: Option<Failure>) -> Self {
        let is_stuck = !is_last && place.offset <= self.place.offset;
        let next = Self { place, ..self };
        match failure {
            Some(failure) => next.failed(failure),
            None if is_last => Self { stage: Stage::Read, ..next },
            None if is_stuck => next.failed(super::records::too_long(place.line)),
            None => next,
        }
    }

    /// Whether another reading was noted instead of this one: somebody else reads the file, too. Of two that cannot be told
    /// apart both go on, and they send the same parts.
    #[must_use]
    pub(crate) fn is_overtaken_by(&self, stored: &Self) -> bool {
        (self.reads, self.place, self.updated_at) != (stored.reads, stored.place, stored.updated_at)
    }

    /// Whether each part that was found is done.
    const fn is_counted(&self) -> bool {
        self.parts_done == self.place.parts
    }

    fn is_gone(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.code == FailureCode::FileChanged)
    }

    #[must_use]
    pub(crate) fn status(&self) -> Status {
        match self.stage {
            Stage::Waiting => Status::Waiting,
            // A part of a file that is gone is never counted.
            Stage::Failed if self.is_counted() || self.is_gone() => Status::Failed,
            Stage::Read if self.is_counted() => Status::Done,
            Stage::Reading | Stage::Read | Stage::Failed => Status::Running,
        }
    }

    #[must_use]
    pub(crate) fn view(&self) -> ImportView<'_> {
        ImportView {
            id: &self.id,
            format: self.format,
            status: self.status(),
            lines: Lines { read: self.place.records, accepted: self.accepted, refused: self.refused },
            failure: self.failure.as_ref(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// How far an import is, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ImportStatus")]
pub(crate) enum Status {
    /// The file is to be put, and the import to be started.
    Waiting,
    /// Lines are read and applied.
    Running,
    /// Each line was accepted or refused.
    Done,
    /// The file could not be read to its end. The lines before were accepted or refused.
    Failed,
}

/// The lines of an import, without those that hold nothing, and without the header.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportLines")]
pub(crate) struct Lines {
    /// So many were found so far.
    read: u64,
    /// So many of them are in the catalogue, or others that decide in their place.
    accepted: u64,
    /// So many are wrong.
    refused: u64,
}

/// An import of products.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Import")]
pub(crate) struct ImportView<'a> {
    id: &'a ImportId,
    format: Format,
    status: Status,
    lines: Lines,
    /// Why the file could not be read to its end.
    failure: Option<&'a Failure>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Import {
        let id = "imp_01jd9c3k7m2q8r5t6v0w1x2y3z".parse().unwrap();
        let import = Import::create(id, Format::Csv, Timestamp::from_millis(1), Cause::request("r"));
        let place = Place { offset: 9, line: 2, ..Place::default() };
        Import { stage: Stage::Reading, place, reads: 1, ..import }
    }

    #[test]
    fn a_window_without_progress_ends_an_import() {
        let import = reading();
        let to = |offset, is_last| {
            let next = import.clone().read_to(Place { offset, ..import.place }, is_last, None);
            (next.stage, next.failure.map(|failure| (failure.code, failure.line)))
        };
        assert_eq!(to(10, false), (Stage::Reading, None));
        assert_eq!(to(9, false), (Stage::Failed, Some((FailureCode::RecordTooLong, 2))));
        assert_eq!(to(9, true), (Stage::Read, None));
    }

    #[test]
    fn who_finds_another_reading_noted_is_overtaken() {
        let noted = reading();
        assert!(!noted.is_overtaken_by(&Import { parts_done: 1, ..noted.clone() }));
        let later = Import { updated_at: Timestamp::from_millis(2), ..noted.clone() };
        assert!(noted.is_overtaken_by(&later));
        assert!(noted.is_overtaken_by(&Import { reads: 2, ..noted.clone() }));
    }
}

//! From a batch of messages to items: one of the log for each ten seconds, one of each story for each minute, compressed.
//! Pure.
//!
//! An entry is put where its own time says, never where the time of writing would: so the copies of an event, however
//! often and in whatever batches it is delivered, lie in one bucket of one partition, and whoever reads that bucket sees
//! each once (docs/decisions/0058). An item's key has the hash of what it holds: the same item written twice is one.

use std::collections::BTreeMap;
use std::io::Read as _;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use flate2::Compression;
use flate2::bufread::{DeflateDecoder, DeflateEncoder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shop_types::Timestamp;

/// An item has 400 KB at most, its names and keys included.
const MAX_ITEM_BYTES: usize = 350_000;
/// What an item may hold once it is unpacked: a story's data compress to a tenth, and nothing to a hundredth.
const MAX_CONTENT_BYTES: u64 = 64_000_000;
/// How many letters of a hash tell an item from others of its bucket: 96 bits.
const HASH_LENGTH: usize = 16;

/// How long a bucket of the log is. Whoever goes on within one reads all of it again.
pub(crate) const LOG_BUCKET_MS: i64 = 10_000;
/// How long a bucket of a story is.
pub(crate) const STORY_BUCKET_MS: i64 = 60_000;
/// How long a partition of the log is.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The beginning of the bucket that a time is in.
pub(crate) const fn bucket(time: Timestamp, length: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis().div_euclid(length) * length)
}

/// What an item holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Content<E: Part, R: Part> {
    #[serde(rename = "e", default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<E>,
    #[serde(rename = "r", default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub(crate) receipts: Vec<R>,
}

/// A part of an item.
pub(crate) trait Part: Clone + Serialize + DeserializeOwned {}
impl<T: Clone + Serialize + DeserializeOwned> Part for T {}

impl<E: Part, R: Part> Default for Content<E, R> {
    fn default() -> Self {
        Self { events: Vec::new(), receipts: Vec::new() }
    }
}

/// An item: its partition, its sort key, and its content as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) pk: String,
    pub(crate) sk: String,
    pub(crate) bytes: Vec<u8>,
    /// The messages that it is of, by their places in the batch.
    pub(crate) of: Vec<usize>,
}

/// Why content cannot be packed, or is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    #[error("the content cannot be compressed, or is not what it should be")]
    Compression(#[from] std::io::Error),
    #[error("the content is not JSON of its kind")]
    Json(#[from] serde_json::Error),
    #[error("one entry alone is larger than an item")]
    TooLarge,
}

/// The parts of items, by partition and bucket, each with the message that it came in.
#[derive(Debug)]
pub(crate) struct Parts<E: Part, R: Part>(BTreeMap<(String, Timestamp), Vec<Of<E, R>>>);

/// A part, behind the place of its message.
type Of<E, R> = (usize, One<E, R>);

#[derive(Clone, Debug)]
enum One<E, R> {
    Event(E),
    Receipt(R),
}

impl<E: Part, R: Part> Default for Parts<E, R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<E: Part, R: Part> Parts<E, R> {
    pub(crate) fn event(&mut self, pk: String, bucket: Timestamp, of: usize, event: E) {
        self.0.entry((pk, bucket)).or_default().push((of, One::Event(event)));
    }

    pub(crate) fn receipt(&mut self, pk: String, bucket: Timestamp, of: usize, receipt: R) {
        self.0.entry((pk, bucket)).or_default().push((of, One::Receipt(receipt)));
    }

    /// The items; the messages that an entry of cannot be stored, with why.
    pub(crate) fn pack(self) -> (Vec<Packed>, Vec<(usize, PackError)>) {
        let (mut items, mut failed) = (Vec::new(), Vec::new());
        for ((pk, bucket), parts) in self.0 {
            pack(&pk, bucket, &parts, &mut items, &mut failed);
        }
        (items, failed)
    }
}

/// One item, or more where one cannot hold it.
fn pack<E: Part, R: Part>(
    pk: &str,
    bucket: Timestamp,
    parts: &[Of<E, R>],
    items: &mut Vec<Packed>,
    failed: &mut Vec<(usize, PackError)>,
) {
    let mut content = Content::default();
    for (_, part) in parts {
        match part.clone() {
            One::Event(event) => content.events.push(event),
            One::Receipt(receipt) => content.receipts.push(receipt),
        }
    }
    let bytes = match compress(&content) {
        Ok(bytes) if bytes.len() <= MAX_ITEM_BYTES => bytes,
        Ok(_) if parts.len() > 1 => {
            let (left, right) = parts.split_at(parts.len() / 2);
            pack(pk, bucket, left, items, failed);
            return pack(pk, bucket, right, items, failed);
        }
        Ok(_) => return failed.extend(parts.iter().map(|(of, _)| (*of, PackError::TooLarge))),
        Err(error) => {
            let text = error.to_string();
            let again = || PackError::Compression(std::io::Error::other(text.clone()));
            return failed.extend(parts.iter().map(|(of, _)| (*of, again())));
        }
    };
    let hash = BASE64URL_NOPAD.encode(digest(&SHA256, &bytes).as_ref());
    let sk = format!("{bucket}#{}", &hash[..HASH_LENGTH]);
    let of = parts.iter().map(|(of, _)| *of).collect();
    items.push(Packed { pk: pk.to_owned(), sk, bytes, of });
}

fn compress<E: Part, R: Part>(content: &Content<E, R>) -> Result<Vec<u8>, PackError> {
    let json = serde_json::to_vec(content)?;
    let mut bytes = Vec::new();
    DeflateEncoder::new(json.as_slice(), Compression::best()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The content of an item.
///
/// # Errors
/// It is none.
pub(crate) fn unpack<E: Part, R: Part>(bytes: &[u8]) -> Result<Content<E, R>, PackError> {
    let mut json = Vec::new();
    DeflateDecoder::new(bytes).take(MAX_CONTENT_BYTES).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Texts = Parts<String, String>;

    #[test]
    fn what_is_packed_reads_back_and_the_same_content_has_the_same_key() {
        let time = Timestamp::from_millis(1_795_446_007_123);
        let bucket = bucket(time, LOG_BUCKET_MS);
        assert_eq!(bucket.to_string(), "2026-11-23T15:00:00.000Z");
        let packed = || {
            let mut parts = Texts::default();
            parts.event("a".to_owned(), bucket, 0, "one".to_owned());
            parts.receipt("a".to_owned(), bucket, 1, "two".to_owned());
            parts.event("b".to_owned(), bucket, 1, "three".to_owned());
            parts.pack()
        };
        let (items, failed) = packed();
        assert!(failed.is_empty());
        assert_eq!(
            items.iter().map(|item| (item.pk.as_str(), item.of.len())).collect::<Vec<_>>(),
            [("a", 2), ("b", 1)]
        );
        let content: Content<String, String> = unpack(&items[0].bytes).unwrap();
        assert_eq!((content.events, content.receipts), (vec!["one".to_owned()], vec!["two".to_owned()]));
        assert_eq!(packed().0, items);
        assert!(items[0].sk.starts_with("2026-11-23T15:00:00.000Z#"));
        assert!(unpack::<String, String>(b"no item").is_err());
    }

    #[test]
    fn what_one_item_cannot_hold_is_more_and_nothing_of_it_is_missing() {
        // Letters that do not compress.
        let hash = |number: usize| BASE64URL_NOPAD.encode(digest(&SHA256, &number.to_be_bytes()).as_ref());
        let noise = |number: usize| (0..1000).map(|part| hash(number * 1000 + part)).collect::<String>();
        let all: Vec<String> = (0..40).map(noise).collect();
        let mut parts = Texts::default();
        for (of, text) in all.iter().enumerate() {
            parts.event("a".to_owned(), Timestamp::from_millis(0), of, text.clone());
        }
        let (items, failed) = parts.pack();
        assert!(failed.is_empty() && items.len() > 1, "{}", items.len());
        assert!(items.iter().all(|item| item.bytes.len() <= MAX_ITEM_BYTES));
        let keys: std::collections::BTreeSet<_> = items.iter().map(|item| &item.sk).collect();
        assert_eq!(keys.len(), items.len());
        let unpacked = items.iter().flat_map(|item| unpack::<String, String>(&item.bytes).unwrap().events);
        assert_eq!(unpacked.collect::<Vec<_>>(), all);
        let of: Vec<usize> = items.iter().flat_map(|item| item.of.clone()).collect();
        assert_eq!(of, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn an_entry_that_no_item_can_hold_fails_alone() {
        let hash = |number: usize| BASE64URL_NOPAD.encode(digest(&SHA256, &number.to_be_bytes()).as_ref());
        let huge: String = (0..12_000).map(hash).collect();
        let mut parts = Texts::default();
        parts.event("a".to_owned(), Timestamp::from_millis(0), 3, huge);
        parts.event("a".to_owned(), Timestamp::from_millis(0), 4, "small".to_owned());
        let (items, failed) = parts.pack();
        assert_eq!(items.iter().map(|item| item.of.clone()).collect::<Vec<_>>(), [[4]]);
        assert!(matches!(failed[..], [(3, PackError::TooLarge)]), "{failed:?}");
    }
}

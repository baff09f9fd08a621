//! A segment: some products, in one object, which never changes. What they replace in other segments stands in its head.
//!
//! tantivy writes it in memory and on this very thread, and the same products are always the same bytes: it gives each
//! segment a random name, which the object does not have. Each segment is opened as an index of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use shop_types::ProductId;
use tantivy::columnar::{Column, StrColumn};
use tantivy::directory::{OwnedBytes, RamDirectory};
use tantivy::fastfield::{AliveBitSet, write_alive_bitset};
use tantivy::index::SegmentComponent;
use tantivy::indexer::{SingleSegmentIndexWriter, merge_filtered_segments};
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{
    BitSet, Directory, DocAddress, DocId, DocSet, Index, IndexReader, ReloadPolicy, Searcher, SegmentReader,
    TERMINATED, TantivyDocument,
};

use super::IndexError;
use super::entry::{Entry, Shown};
use super::fields::{CATEGORY, CREATED, CURRENCY, Fields, IN_STOCK, LENGTH, ORDER, PRICE, fields, settings};
use super::words::{ANALYZER, analyzer};

/// What an object begins with.
const MAGIC: &[u8; 8] = b"search-1";
/// What tantivy's files of every segment are called: each is in a directory of its own.
const FILE: &str = "00000000000000000000000000000001";
const META: &str = "meta";
/// The files that a segment may have.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Terms,
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FastFields,
    SegmentComponent::FieldNorms,
    SegmentComponent::Store,
];
/// What the writer begins with; it takes more as it needs it.
const WRITER_BYTES: usize = 3_000_000;

/// The documents of other segments that are gone, by the segments' names.
pub(super) type Replaced = BTreeMap<String, BTreeSet<DocId>>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Head {
    docs: u32,
    replaced: Replaced,
    /// tantivy's files, by what their names end with, and how long each is.
    files: Vec<(String, usize)>,
}

/// A segment, opened.
pub struct Segment {
    /// The object's name.
    pub name: String,
    /// How many documents it has, dead ones among them.
    pub docs: u32,
    /// How many bytes it has.
    pub bytes: usize,
    pub(super) replaced: Replaced,
    pub(super) opened: Option<Opened>,
}

/// What is read of a segment that has documents.
pub(super) struct Opened {
    pub(super) searcher: Searcher,
    pub(super) fields: Fields,
    pub(super) price: Column<u64>,
    pub(super) in_stock: Column<u64>,
    pub(super) created: Column<u64>,
    pub(super) length: Column<u64>,
    pub(super) order: Column<u64>,
    pub(super) currency: Option<StrColumn>,
    pub(super) category: Option<StrColumn>,
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment").field("name", &self.name).field("docs", &self.docs).finish_non_exhaustive()
    }
}

/// The object of new documents, and of what they replace.
pub(super) fn write(entries: &[Entry], replaced: &Replaced) -> Result<Vec<u8>, IndexError> {
    let docs = u32::try_from(entries.len()).map_err(|_| IndexError::TooLarge)?;
    let mut object = Object::default();
    if docs > 0 {
        let (fields, schema) = fields();
        let directory = RamDirectory::create();
        let index = Index::builder().schema(schema).settings(settings());
        let index = index.tokenizers(tokenizers());
        let mut writer: SingleSegmentIndexWriter =
            index.single_segment_index_writer(directory.clone(), WRITER_BYTES)?;
        for entry in entries {
            writer.add_document(fields.document(entry)?)?;
        }
        object.take(&writer.finalize()?, &directory)?;
    }
    object.finish(docs, replaced)
}

/// The object of what is left of some segments, where the documents that are gone are those of `dead`.
pub(super) fn merge<'s>(
    segments: impl Iterator<Item = (&'s Segment, &'s Dead)>,
    replaced: &Replaced,
) -> Result<Vec<u8>, IndexError> {
    let (mut parts, mut alive, mut docs) = (Vec::new(), Vec::new(), 0);
    for (segment, dead) in segments {
        let Some(opened) = &segment.opened else { continue };
        if dead.count == segment.docs {
            continue;
        }
        docs += segment.docs - dead.count;
        parts.append(&mut opened.searcher.index().searchable_segments()?);
        alive.push(if dead.count == 0 { None } else { Some(dead.alive(segment.docs)?) });
    }
    let mut object = Object::default();
    if docs > 0 {
        let directory = RamDirectory::create();
        let index = merge_filtered_segments(&parts, settings(), alive, directory.clone())?;
        object.take(&index, &directory)?;
    }
    object.finish(docs, replaced)
}

fn tokenizers() -> tantivy::tokenizer::TokenizerManager {
    let tokenizers = tantivy::tokenizer::TokenizerManager::default();
    tokenizers.register(ANALYZER, analyzer());
    tokenizers
}

#[derive(Default)]
struct Object {
    files: Vec<(String, usize)>,
    body: Vec<u8>,
}

impl Object {
    fn push(&mut self, name: &str, bytes: &[u8]) {
        self.files.push((name.to_owned(), bytes.len()));
        self.body.extend_from_slice(bytes);
    }

    /// Takes tantivy's files of an index of one segment.
    fn take(&mut self, index: &Index, directory: &RamDirectory) -> Result<(), IndexError> {
        let meta = directory.atomic_read(Path::new("meta.json"))?;
        let mut meta: serde_json::Value = serde_json::from_slice(&meta)?;
        // Random, and the names of what was merged.
        meta["segments"][0]["segment_id"] = FILE.into();
        meta["payload"] = serde_json::Value::Null;
        self.push(META, &serde_json::to_vec(&meta)?);
        for segment in index.searchable_segment_metas()? {
            for component in COMPONENTS {
                let file = segment.relative_path(component);
                // What a segment does not need, it does not have.
                if directory.exists(&file)? {
                    let name =
                        file.extension().and_then(|name| name.to_str()).ok_or(IndexError::NoSegment)?;
                    self.push(name, &directory.open_read(&file)?.read_bytes()?);
                }
            }
        }
        Ok(())
    }

    fn finish(self, docs: u32, replaced: &Replaced) -> Result<Vec<u8>, IndexError> {
        let head = serde_json::to_vec(&Head { docs, replaced: replaced.clone(), files: self.files })?;
        let length = u32::try_from(head.len()).map_err(|_| IndexError::TooLarge)?;
        Ok([MAGIC.as_slice(), &length.to_be_bytes(), &head, &self.body].concat())
    }
}

impl Segment {
    /// Opens an object.
    ///
    /// # Errors
    /// It is none.
    pub fn open(name: &str, object: &[u8]) -> Result<Self, IndexError> {
        let rest = object.strip_prefix(MAGIC).ok_or(IndexError::NoSegment)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(IndexError::NoSegment)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| IndexError::NoSegment)?;
        let (head, mut body) = rest.split_at_checked(length).ok_or(IndexError::NoSegment)?;
        let head: Head = serde_json::from_slice(head)?;
        let directory = RamDirectory::create();
        for (name, length) in &head.files {
            let (file, rest) = body.split_at_checked(*length).ok_or(IndexError::NoSegment)?;
            let path = if name == META { "meta.json".to_owned() } else { format!("{FILE}.{name}") };
            directory.atomic_write(Path::new(&path), file)?;
            body = rest;
        }
        let opened = if head.docs == 0 { None } else { Some(Opened::open(directory)?) };
        let Head { docs, replaced, .. } = head;
        Ok(Self { name: name.to_owned(), docs, bytes: object.len(), replaced, opened })
    }
}

impl Opened {
    fn open(directory: RamDirectory) -> Result<Self, IndexError> {
        let index = Index::open(directory)?;
        let (fields, schema) = fields();
        if index.schema() != schema {
            return Err(IndexError::NoSegment);
        }
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let searcher = reader.searcher();
        let [segment] = searcher.segment_readers() else { return Err(IndexError::NoSegment) };
        let columns = segment.fast_fields();
        Ok(Self {
            fields,
            price: columns.u64(PRICE)?,
            in_stock: columns.u64(IN_STOCK)?,
            created: columns.u64(CREATED)?,
            length: columns.u64(LENGTH)?,
            order: columns.u64(ORDER)?,
            currency: columns.str(CURRENCY)?,
            category: columns.str(CATEGORY)?,
            searcher,
        })
    }

    pub(super) fn reader(&self) -> &SegmentReader {
        self.searcher.segment_reader(0)
    }

    /// What is kept of a product.
    pub(super) fn shown(&self, doc: DocId) -> Result<Shown, IndexError> {
        let document: TantivyDocument = self.searcher.doc(DocAddress::new(0, doc))?;
        let kept = document.get_first(self.fields.shown).ok_or(IndexError::NoSegment)?;
        Ok(Shown::unpack(kept.as_bytes().ok_or(IndexError::NoSegment)?)?)
    }

    /// The documents of a product, dead ones among them.
    pub(super) fn find(&self, id: &ProductId) -> Result<Vec<DocId>, IndexError> {
        let index = self.reader().inverted_index(self.fields.id)?;
        let postings = index.read_postings(&self.fields.id_term(id), IndexRecordOption::Basic)?;
        let Some(mut postings) = postings else { return Ok(Vec::new()) };
        let mut docs = Vec::new();
        let mut doc = postings.doc();
        while doc != TERMINATED {
            docs.push(doc);
            doc = postings.advance();
        }
        Ok(docs)
    }
}

/// The documents of a segment that are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Dead {
    bits: Vec<u64>,
    pub(super) count: u32,
}

impl Dead {
    pub(super) fn insert(&mut self, doc: DocId) {
        let (word, bit) = place(doc);
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word)
            && *bits & bit == 0
        {
            *bits |= bit;
            self.count += 1;
        }
    }

    pub(super) fn has(&self, doc: DocId) -> bool {
        let (word, bit) = place(doc);
        self.bits.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn alive(&self, docs: u32) -> Result<AliveBitSet, IndexError> {
        let mut alive = BitSet::with_max_value_and_full(docs);
        for doc in (0..docs).filter(|doc| self.has(*doc)) {
            alive.remove(doc);
        }
        let mut bytes = Vec::new();
        write_alive_bitset(&alive, &mut bytes)?;
        Ok(AliveBitSet::open(OwnedBytes::new(bytes)))
    }
}

fn place(doc: DocId) -> (usize, u64) {
    (usize::try_from(doc / 64).unwrap_or(usize::MAX), 1 << (doc % 64))
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::entry;
    use super::*;

    fn entries(count: usize) -> Vec<Entry> {
        let mut entries: Vec<_> =
            (0..count).map(|number| entry(&format!("p-{number}"), &format!("Mug number {number}"))).collect();
        for entry in entries.iter_mut().step_by(3) {
            entry.shown.category = Some("kitchen".into());
            entry.description = Some("Of blue enamel".into());
        }
        entries
    }

    #[test]
    fn the_same_products_are_the_same_bytes() {
        let replaced = Replaced::from([("a".to_owned(), BTreeSet::from([1, 7]))]);
        let one = write(&entries(300), &replaced).unwrap();
        assert_eq!(one, write(&entries(300), &replaced).unwrap());
        let segments: Vec<_> = (0..3)
            .map(|number| {
                Segment::open(&number.to_string(), &write(&entries(100 + number), &replaced).unwrap())
            })
            .map(Result::unwrap)
            .collect();
        let dead = [Dead::default(), Dead::default(), {
            let mut dead = Dead::default();
            (0..102).filter(|doc| doc % 2 == 0).for_each(|doc| dead.insert(doc));
            dead
        }];
        let merged = || merge(segments.iter().zip(&dead), &Replaced::new()).unwrap();
        let object = merged();
        assert_eq!(object, merged());
        let merged = Segment::open("merged", &object).unwrap();
        assert_eq!((merged.docs, dead[2].count), (100 + 101 + 51, 51));
    }

    #[test]
    fn an_object_reads_back_and_nothing_else_is_one() {
        let object = write(&entries(9), &Replaced::new()).unwrap();
        let segment = Segment::open("one", &object).unwrap();
        let opened = segment.opened.as_ref().unwrap();
        for (doc, entry) in entries(9).iter().enumerate() {
            let found = opened.find(&entry.shown.id).unwrap();
            assert_eq!(found, [u32::try_from(doc).unwrap()]);
            assert_eq!(opened.shown(found[0]).unwrap(), entry.shown);
        }
        assert_eq!(opened.find(&"p-10".parse().unwrap()).unwrap(), Vec::<DocId>::new());
        for broken in [&object[1..], &object[..9], &object[..object.len() - 1], b""] {
            assert!(Segment::open("broken", broken).is_err());
        }
    }

    #[test]
    fn a_segment_may_only_take_away() {
        let replaced = Replaced::from([("a".to_owned(), BTreeSet::from([7]))]);
        let segment = Segment::open("none", &write(&[], &replaced).unwrap()).unwrap();
        assert_eq!((segment.docs, &segment.replaced, segment.opened.is_none()), (0, &replaced, true));
    }
}

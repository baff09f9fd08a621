//! The index at a moment: the segments that a manifest names, and which of their documents are dead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shop_types::{ProductId, Timestamp};
use tantivy::DocId;

use super::IndexError;
use super::entry::{Entry, Shown};
use super::segment::{self, Dead, Replaced, Segment};

/// More segments than this are merged.
const MAX_SEGMENTS: usize = 16;
/// A merge makes of so many segments one, at least.
const LEAST_MERGED: usize = 8;
/// A consumer has seconds: what is larger is left to the rebuild.
const MOST_MERGED_DOCS: u32 = 50_000;

/// Which segments count. It is the one object of the index that changes, and it changes at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What tells this manifest from every other one.
    pub nonce: String,
    /// When it was made.
    pub published_at: Timestamp,
    /// The segments, the oldest first.
    pub segments: Vec<Named>,
}

/// A segment, as the manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The object's name.
    pub name: String,
    /// How many documents it has, dead ones among them.
    pub docs: u32,
}

/// The index at a moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The manifest that it is of.
    pub manifest: Manifest,
    pub(super) segments: Vec<(Arc<Segment>, Arc<Dead>)>,
}

/// What is to be published: an object, and the segments that count from then on.
#[derive(Debug)]
pub struct Next {
    /// The name of the new segment.
    pub name: String,
    /// The new segment's object.
    pub object: Vec<u8>,
    /// The segments that count, the new one among them.
    pub segments: Vec<Named>,
}

/// A document.
type Place = (usize, DocId);

impl Snapshot {
    /// The index that a manifest describes. `open` gives the segments, by their names.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn new(manifest: Manifest, open: &BTreeMap<String, Arc<Segment>>) -> Result<Self, IndexError> {
        let segments = manifest.segments.iter().map(|named| open.get(&named.name).cloned());
        let segments: Vec<_> = segments.collect::<Option<_>>().ok_or(IndexError::Missing)?;
        Ok(Self { manifest, segments: with_dead(segments) })
    }

    /// When it was made; none where there is none yet.
    #[must_use]
    pub fn made_at(&self) -> Option<Timestamp> {
        Some(self.manifest.published_at).filter(|_| !self.manifest.nonce.is_empty())
    }

    /// How many products it has.
    #[must_use]
    pub fn products(&self) -> u64 {
        self.segments.iter().map(|(segment, dead)| u64::from(segment.docs - dead.count)).sum()
    }

    /// How many bytes its segments have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(|(segment, _)| segment.bytes).sum()
    }

    fn places(&self, id: &ProductId) -> Result<Vec<Place>, IndexError> {
        let mut places = Vec::new();
        for (number, (segment, dead)) in self.segments.iter().enumerate() {
            let Some(opened) = &segment.opened else { continue };
            places
                .extend(opened.find(id)?.into_iter().filter(|doc| !dead.has(*doc)).map(|doc| (number, doc)));
        }
        Ok(places)
    }

    fn shown_at(&self, (segment, doc): Place) -> Result<Shown, IndexError> {
        let opened = self.segments.get(segment).and_then(|(segment, _)| segment.opened.as_ref());
        opened.ok_or(IndexError::Missing)?.shown(doc)
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> Result<Vec<Shown>, IndexError> {
        self.made_between(None, None)
    }

    /// The products that were made behind a place of the catalogue's list, up to another one.
    ///
    /// # Errors
    /// The index cannot be read.
    pub(crate) fn made_between(
        &self,
        behind: Option<(Timestamp, &str)>,
        to: Option<(Timestamp, &str)>,
    ) -> Result<Vec<Shown>, IndexError> {
        let millis = |place: Option<(Timestamp, &str)>| {
            place.map(|(at, _)| u64::try_from(at.as_millis()).unwrap_or(0))
        };
        let (first, last) = (millis(behind).unwrap_or(0), millis(to).unwrap_or(u64::MAX));
        let mut found = Vec::new();
        for (segment, dead) in &self.segments {
            let Some(opened) = &segment.opened else { continue };
            for doc in (0..segment.docs).filter(|doc| !dead.has(*doc)) {
                if opened.created.first(doc).is_some_and(|at| (first..=last).contains(&at)) {
                    let shown = opened.shown(doc)?;
                    let (is_behind, is_up_to) = (
                        behind.is_none_or(|place| shown.place() > place),
                        to.is_none_or(|to| shown.place() <= to),
                    );
                    if is_behind && is_up_to {
                        found.push(shown);
                    }
                }
            }
        }
        Ok(found)
    }

    /// What has to be published so that these products are in the index as they are, or are not in it; none where that
    /// is so. `name` is the new segment's.
    ///
    /// # Errors
    /// The index cannot be read or written.
    pub fn with(
        &self,
        products: &BTreeMap<ProductId, Option<Entry>>,
        name: &str,
    ) -> Result<Option<Next>, IndexError> {
        let (mut entries, mut replaced) = (Vec::new(), Replaced::new());
        for (id, wanted) in products {
            let places = self.places(id)?;
            if let ([place], Some(wanted)) = (places.as_slice(), wanted)
                && self.shown_at(*place)? == wanted.shown
            {
                continue;
            }
            entries.extend(wanted.clone());
            for (segment, doc) in places {
                let Some((segment, _)) = self.segments.get(segment) else { continue };
                replaced.entry(segment.name.clone()).or_default().insert(doc);
            }
        }
        if entries.is_empty() && replaced.is_empty() {
            return Ok(None);
        }
        let object = segment::write(&entries, &replaced)?;
        let new = Arc::new(Segment::open(name, &object)?);
        let segments: Vec<_> =
            self.segments.iter().map(|(segment, _)| Arc::clone(segment)).chain([new]).collect();
        if segments.len() <= MAX_SEGMENTS {
            return Ok(Some(Next { name: name.to_owned(), object, segments: named(&segments) }));
        }
        let segments = with_dead(segments);
        // The new one among them: there is one object to put.
        let mut merged = small(&segments, MOST_MERGED_DOCS);
        merged.insert(segments.len() - 1);
        merge(&segments, &merged, name).map(Some)
    }

    /// The same in one segment; none where it is that.
    ///
    /// # Errors
    /// The index cannot be read or written.
    pub fn compact(&self, name: &str) -> Result<Option<Next>, IndexError> {
        let is_compact = match self.segments.as_slice() {
            [] => true,
            [(_, dead)] => dead.count == 0,
            _ => false,
        };
        if is_compact {
            return Ok(None);
        }
        let all = (0..self.segments.len()).collect();
        merge(&self.segments, &all, name).map(Some)
    }
}

fn named(segments: &[Arc<Segment>]) -> Vec<Named> {
    segments.iter().map(|segment| Named { name: segment.name.clone(), docs: segment.docs }).collect()
}

fn with_dead(segments: Vec<Arc<Segment>>) -> Vec<(Arc<Segment>, Arc<Dead>)> {
    let mut all: BTreeMap<String, Dead> =
        segments.iter().map(|segment| (segment.name.clone(), Dead::default())).collect();
    for (name, docs) in segments.iter().flat_map(|segment| &segment.replaced) {
        // Of a segment that was merged since, nothing is left to be dead.
        if let Some(dead) = all.get_mut(name) {
            for doc in docs {
                dead.insert(*doc);
            }
        }
    }
    let with_dead = |segment: Arc<Segment>| {
        let dead = all.remove(&segment.name).unwrap_or_default();
        (segment, Arc::new(dead))
    };
    segments.into_iter().map(with_dead).collect()
}

/// The segments to be merged into one: the smallest, and of the larger ones those that are not much larger than all
/// before them together. A product is written anew so often as the index doubles, and not with every merge.
fn small(segments: &[(Arc<Segment>, Arc<Dead>)], most: u32) -> BTreeSet<usize> {
    let mut sizes: Vec<(u32, usize)> = segments
        .iter()
        .enumerate()
        .map(|(number, (segment, dead))| (segment.docs - dead.count, number))
        .collect();
    sizes.sort_unstable();
    let (mut merged, mut sum) = (BTreeSet::new(), 0_u32);
    for (size, number) in sizes {
        let is_small = merged.len() < LEAST_MERGED || size <= sum.saturating_mul(2);
        if merged.len() >= 2 && (!is_small || sum.saturating_add(size) > most) {
            break;
        }
        merged.insert(number);
        sum = sum.saturating_add(size);
    }
    merged
}

fn merge(
    segments: &[(Arc<Segment>, Arc<Dead>)],
    merged: &BTreeSet<usize>,
    name: &str,
) -> Result<Next, IndexError> {
    let is_merged = |number: usize| merged.contains(&number);
    let parts: Vec<_> =
        segments.iter().enumerate().filter(|(number, _)| is_merged(*number)).map(|(_, part)| part).collect();
    let gone: BTreeSet<&str> = parts.iter().map(|(segment, _)| segment.name.as_str()).collect();
    let left: Vec<_> = segments.iter().enumerate().filter(|(number, _)| !is_merged(*number)).collect();
    let is_left = |name: &String| left.iter().any(|(_, (segment, _))| segment.name == *name);
    let mut replaced = Replaced::new();
    for (other, docs) in parts.iter().flat_map(|(segment, _)| &segment.replaced) {
        if !gone.contains(other.as_str()) && is_left(other) {
            replaced.entry(other.clone()).or_default().extend(docs);
        }
    }
    let object = segment::merge(parts.iter().map(|(segment, dead)| (&**segment, &**dead)), &replaced)?;
    let new = Arc::new(Segment::open(name, &object)?);
    let mut all: Vec<_> = left.into_iter().map(|(_, (segment, _))| Arc::clone(segment)).collect();
    // One that neither has a product nor takes one away is none.
    if new.docs > 0 || !new.replaced.is_empty() {
        all.push(new);
    }
    Ok(Next { name: name.to_owned(), object, segments: named(&all) })
}

#[cfg(test)]
mod tests;

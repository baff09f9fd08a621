//! Dead letters, and what an operator has become of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use redrives::letter::{Letter, Status};
use redrives::redrive::{Redrive, Status as Progress};
use serde_json::{Value, json};
use shop_events::Event;
use shop_local::cloud::Step;
use shop_local::template::Template;
use shop_types::{DeadLetterId, RedriveId};

use super::record::text;
use super::{Images, Invariants, Record, Service, Services};
use crate::violation::Violation;
use crate::workload::History;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    (
        "a-dead-letter-is-kept",
        "what leaves a dead-letter queue lies in the table of dead letters, as the message that it is",
    ),
    (
        "a-dead-letter-moves-legally",
        "a letter is parked first; it is sent again or given up once for each time that it was parked, and only what was sent again or given up can come back",
    ),
    (
        "a-redrive-counts-what-it-moves",
        "a redrive says of as many letters that they are moved as say that it has moved them, and moves none that were parked behind its cutoff",
    ),
    ("only-poison-stays-parked", "when all is done, what is parked is what nobody can read"),
]);

#[derive(Debug)]
pub(crate) struct Model {
    letters_table: String,
    redrives_table: String,
    /// The dead-letter queues that are emptied, by their physical names.
    emptied: BTreeSet<String>,
    letters: BTreeMap<DeadLetterId, Letter>,
    /// The messages that letters came as.
    kept: BTreeSet<String>,
    /// Messages that left such a queue, and were not kept.
    lost: Vec<String>,
    redrives: BTreeMap<RedriveId, Redrive>,
    moved: BTreeMap<RedriveId, u64>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        let table = |id: &'static str| template.tables.get(id).map(|table| table.name.clone()).context(id);
        Ok(Self {
            letters_table: table("DeadLettersTable")?,
            redrives_table: table("RedrivesTable")?,
            emptied: emptied(template)?,
            letters: BTreeMap::new(),
            kept: BTreeSet::new(),
            lost: Vec::new(),
            redrives: BTreeMap::new(),
            moved: BTreeMap::new(),
        })
    }

    /// Takes in what happens to a message.
    pub(super) fn queued(&mut self, queue: &str, message: &str, step: Step<'_>) {
        if matches!(step, Step::Deleted) && self.emptied.contains(queue) && !self.kept.contains(message) {
            self.lost.push(format!("{message} left {queue}"));
        }
    }

    fn letter(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let (old, new) = record.read::<Letter>()?;
        self.kept.insert(new.message_id.clone());
        let was = old.as_ref().map(|old| old.status);
        let is_same = old.as_ref().is_some_and(|old| old.message_id == new.message_id);
        let is_legal = match (was, new.status) {
            (None, Status::Parked) => true,
            (Some(_), Status::Parked) => !is_same,
            (Some(Status::Parked), Status::Redriven | Status::Discarded) => is_same,
            _ => false,
        };
        let mut violations = Vec::new();
        if !is_legal {
            let seen = format!("{} goes from {was:?} to {:?}", new.id, new.status);
            violations.push(Violation::new("a-dead-letter-moves-legally", seen));
        }
        if let Some(redrive) = new.moved_by().filter(|_| new.status != Status::Parked) {
            *self.moved.entry(redrive.clone()).or_default() += 1;
            let is_meant = self
                .redrives
                .get(redrive)
                .is_some_and(|redrive| redrive.consumer == new.consumer && new.parked_at() <= redrive.cutoff);
            if !is_meant {
                let seen = format!("{redrive} moves {}, which is not one of its letters", new.id);
                violations.push(Violation::new("a-redrive-counts-what-it-moves", seen));
            }
        }
        self.letters.insert(new.id.clone(), new);
        Ok(violations)
    }

    fn redrive(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let (old, new) = record.read::<Redrive>()?;
        let is_legal = match old.as_ref().map(|old| old.status) {
            None => new.status == Progress::Running && new.moved == 0,
            Some(Progress::Done) => false,
            Some(_) => old.as_ref().is_some_and(|old| old.moved <= new.moved),
        };
        let seen = || format!("{:?} becomes {new:?}", old.as_ref().map(|old| old.status));
        let wrong = (!is_legal).then(|| Violation::new("a-redrive-counts-what-it-moves", seen()));
        self.redrives.insert(new.id.clone(), new);
        Ok(wrong.into_iter().collect())
    }
}

/// The dead-letter queues that a function empties, as its variable names them.
pub(crate) fn emptied(template: &Template) -> Result<BTreeSet<String>> {
    let mut functions = template.functions.values();
    let collector = functions.find(|function| function.name == "collect-dead-letters");
    let named = collector.and_then(|function| function.environment.get("DEAD_LETTER_QUEUES"));
    let named = named.context("DEAD_LETTER_QUEUES")?;
    let urls: BTreeSet<&str> =
        named.split_whitespace().filter_map(|pair| Some(pair.split_once('=')?.1)).collect();
    let is_named = |name: &str| urls.iter().any(|url| url.rsplit('/').next() == Some(name));
    Ok(template.queues.values().map(|queue| queue.name.clone()).filter(|name| is_named(name)).collect())
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "redrives"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.redrives_table)
    }

    fn owns(&self, table: &str) -> bool {
        table == self.redrives_table || table == self.letters_table
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        if record.key().starts_with("letter_") { self.letter(record) } else { self.redrive(record) }
    }

    fn settled(&self, _all: &Services) -> Vec<Violation> {
        // A letter and its redrive's count are one write.
        let is_wrong =
            |redrive: &&Redrive| self.moved.get(&redrive.id).copied().unwrap_or(0) != redrive.moved;
        let wrong = self.redrives.values().filter(is_wrong);
        let seen = |redrive: &Redrive| {
            format!(
                "{} says {}, and {:?} letters say it",
                redrive.id,
                redrive.moved,
                self.moved.get(&redrive.id)
            )
        };
        wrong.map(|redrive| Violation::new("a-redrive-counts-what-it-moves", seen(redrive))).collect()
    }

    fn events(&self, images: &Images) -> Vec<Value> {
        let Images { old, new, .. } = images;
        let id = text(new, "id");
        if !id.starts_with("redrive_") {
            return Vec::new();
        }
        let data = |names: &[&str]| {
            let mut data = json!({ "redrive_id": id });
            for name in names {
                if let Some(value) = new.get(*name) {
                    data[*name] = value.clone();
                }
            }
            data
        };
        let version = new["version"].as_u64().unwrap_or(0);
        let created = old.is_none().then(|| {
            let names = ["disposal", "consumer", "failure_code", "cutoff", "matched", "created_at"];
            images.event("redrive.created", id, version, "created_at", &data(&names))
        });
        let is_done = |item: &super::record::Item| item["status"] == "done";
        let finished = (is_done(new) && !old.as_ref().is_some_and(is_done)).then(|| {
            let names = ["disposal", "consumer", "moved", "finished_at"];
            images.event("redrive.finished", id, version, "finished_at", &data(&names))
        });
        created.into_iter().chain(finished).collect()
    }

    fn pending(&self) -> usize {
        self.redrives.values().filter(|redrive| redrive.status == Progress::Running).count()
    }

    fn finish(&self, _all: &Services, _history: &History) -> Vec<Violation> {
        let lost = self.lost.iter().map(|lost| Violation::new("a-dead-letter-is-kept", lost.clone()));
        let parked = self.letters.values().filter(|letter| letter.status == Status::Parked);
        let readable = parked.filter(|letter| is_readable(letter.body()));
        let parked = readable.map(|letter| {
            let seen = format!("{} of {} is parked: {}", letter.id, letter.consumer, letter.body());
            Violation::new("only-poison-stays-parked", seen)
        });
        let redrives = self.redrives.values().filter(|redrive| redrive.status != Progress::Done);
        let left = redrives.map(|redrive| {
            let seen = format!("{} never ends: {redrive:?}", redrive.id);
            Violation::new("a-redrive-counts-what-it-moves", seen)
        });
        lost.chain(parked).chain(left).collect()
    }
}

/// Whether a message is one that somebody handles.
pub(crate) fn is_readable(body: &str) -> bool {
    // SES's word of a mail, a function's of an import, an export or a redrive, or a consumer's of a batch.
    let is_of_others = |word: Value| {
        let is_work = ["import", "export", "redrive"].iter().any(|name| word[*name].is_string());
        is_work || word["mail"]["messageId"].is_string() || word["receipts"].is_array()
    };
    Event::from_json(body).is_ok() || serde_json::from_str(body).is_ok_and(is_of_others)
}

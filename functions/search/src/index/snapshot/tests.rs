use proptest::prelude::*;
use shop_types::{Currency, Money};

use super::super::entry::tests::entry;
use super::*;

/// An index and the objects that were ever put.
#[derive(Default)]
struct Shelf {
    objects: BTreeMap<String, Vec<u8>>,
    snapshot: Snapshot,
    published: usize,
}

impl Shelf {
    fn publish(&mut self, next: Option<Next>) {
        let Some(next) = next else { return };
        self.published += 1;
        self.objects.insert(next.name, next.object);
        let manifest = Manifest { segments: next.segments, ..Manifest::default() };
        // Read anew, as another function would.
        let open = |named: &Named| {
            let segment = Segment::open(&named.name, &self.objects[&named.name]).unwrap();
            assert_eq!(segment.docs, named.docs);
            (named.name.clone(), Arc::new(segment))
        };
        let open = manifest.segments.iter().map(open).collect();
        self.snapshot = Snapshot::new(manifest, &open).unwrap();
    }

    fn apply(&mut self, products: impl IntoIterator<Item = (ProductId, Option<Entry>)>) {
        let next = self.snapshot.with(&products.into_iter().collect(), &self.published.to_string());
        self.publish(next.unwrap());
    }

    fn all(&self) -> BTreeMap<ProductId, Shown> {
        let all = self.snapshot.all().unwrap();
        let by_id: BTreeMap<_, _> = all.iter().map(|shown| (shown.id.clone(), shown.clone())).collect();
        assert_eq!(all.len(), by_id.len(), "a product is there twice");
        assert_eq!(u64::try_from(all.len()).unwrap(), self.snapshot.products());
        by_id
    }
}

fn priced(number: u8, minor: i64) -> Entry {
    let mut entry = entry(&format!("p-{number}"), "Mug");
    entry.shown.price = Money { minor, currency: Currency::USD };
    entry
}

fn id(number: u8) -> ProductId {
    format!("p-{number}").parse().unwrap()
}

#[test]
fn what_is_so_already_is_not_published() {
    let mut shelf = Shelf::default();
    shelf.apply([(id(1), None)]);
    assert_eq!(shelf.published, 0, "what never was there is gone already");
    for _ in 0..2 {
        shelf.apply([(id(1), Some(priced(1, 5))), (id(2), None)]);
        assert_eq!(shelf.published, 1);
    }
    let kept = shelf.all();
    shelf.apply([(id(1), None)]);
    shelf.apply([(id(1), None)]);
    assert_eq!((shelf.published, shelf.all().len(), kept.len()), (2, 0, 1));
}

#[test]
fn many_changes_are_few_segments() {
    let mut shelf = Shelf::default();
    let large: Vec<_> = (0..=u8::MAX).map(|number| (id(number), Some(priced(number, 1)))).collect();
    shelf.apply(large);
    let base = shelf.snapshot.manifest.segments[0].name.clone();
    let mut is_base_kept = 0;
    for change in 0..100 {
        shelf.apply([(id(7), Some(priced(7, 100 + change)))]);
        let segments = &shelf.snapshot.manifest.segments;
        assert!(segments.len() <= MAX_SEGMENTS, "{segments:?}");
        is_base_kept += u32::from(segments[0].name == base);
    }
    assert_eq!(
        (is_base_kept, shelf.all().len()),
        (100, 256),
        "a large segment is not written with every merge"
    );
    assert_eq!(shelf.all()[&id(7)].price.minor, 199);
    let next = shelf.snapshot.compact("compact").unwrap();
    shelf.publish(next);
    assert_eq!((shelf.snapshot.manifest.segments.len(), shelf.all().len()), (1, 256));
    assert!(shelf.snapshot.compact("again").unwrap().is_none());
}

#[test]
fn an_index_without_products_is_none() {
    let mut shelf = Shelf::default();
    shelf.apply([(id(1), Some(priced(1, 5)))]);
    shelf.apply([(id(1), None)]);
    let next = shelf.snapshot.compact("compact").unwrap();
    shelf.publish(next);
    assert_eq!(shelf.snapshot.manifest.segments, []);
    shelf.apply([(id(1), Some(priced(1, 6)))]);
    assert_eq!(shelf.all().len(), 1);
}

#[test]
fn products_are_found_by_when_they_were_made() {
    let mut shelf = Shelf::default();
    let made = |number: u8, at: i64| {
        let mut entry = priced(number, 1);
        entry.shown.created_at = Timestamp::from_millis(at);
        (id(number), Some(entry))
    };
    shelf.apply([made(1, 10), made(2, 10)]);
    shelf.apply([made(3, 20), made(4, 30)]);
    let at = |at: i64, id: &'static str| Some((Timestamp::from_millis(at), id));
    let between = |behind, to| {
        let found = shelf.snapshot.made_between(behind, to).unwrap();
        found.iter().map(|shown| shown.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(between(None, at(10, "p-1")), ["p-1"]);
    assert_eq!(between(at(10, "p-1"), at(20, "p-3")), ["p-2", "p-3"]);
    assert_eq!(between(at(20, "p-3"), None), ["p-4"]);
    assert_eq!(between(at(30, "p-4"), None), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Whatever is put in, taken out and merged: the index has what was wanted last.
    #[test]
    fn the_index_is_what_was_wanted_last(
        changes in prop::collection::vec(prop::collection::vec((0_u8..12, 0_i64..4), 1..4), 1..60),
        compacted in 0_usize..60,
    ) {
        let (mut shelf, mut expected) = (Shelf::default(), BTreeMap::new());
        for (number, batch) in changes.into_iter().enumerate() {
            let wanted: BTreeMap<_, _> = batch
                .into_iter()
                .map(|(product, price)| (id(product), (price > 0).then(|| priced(product, price))))
                .collect();
            for (id, wanted) in &wanted {
                match wanted {
                    Some(entry) => drop(expected.insert(id.clone(), entry.shown.clone())),
                    None => drop(expected.remove(id)),
                }
            }
            shelf.apply(wanted);
            prop_assert_eq!(&shelf.all(), &expected);
            if number == compacted {
                let next = shelf.snapshot.compact("compact").unwrap();
                shelf.publish(next);
                prop_assert_eq!(&shelf.all(), &expected);
            }
        }
    }
}

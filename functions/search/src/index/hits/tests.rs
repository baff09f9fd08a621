use std::collections::BTreeMap;
use std::sync::Arc;

use shop_types::{ProductId, Timestamp};

use super::super::entry::Entry;
use super::super::entry::tests::entry;
use super::super::segment::Segment;
use super::super::snapshot::Manifest;
use super::*;

fn product(id: &str, name: &str, category: &str, minor: i64, in_stock: bool) -> Entry {
    let mut entry = entry(id, name);
    entry.shown.price = Money { minor, currency: Currency::USD };
    entry.shown.category = (!category.is_empty()).then(|| category.to_owned());
    entry.shown.in_stock = in_stock;
    entry
}

/// Some products, in so many segments.
fn snapshot(entries: &[Entry], segments: usize) -> Snapshot {
    let (mut snapshot, mut open) = (Snapshot::default(), BTreeMap::new());
    for (number, entries) in entries.chunks(entries.len().div_ceil(segments).max(1)).enumerate() {
        let products: BTreeMap<ProductId, Option<Entry>> =
            entries.iter().map(|entry| (entry.shown.id.clone(), Some(entry.clone()))).collect();
        let next = snapshot.with(&products, &number.to_string()).unwrap().unwrap();
        open.insert(next.name.clone(), Arc::new(Segment::open(&next.name, &next.object).unwrap()));
        let manifest = Manifest { segments: next.segments, ..Manifest::default() };
        snapshot = Snapshot::new(manifest, &open).unwrap();
    }
    snapshot
}

fn shop() -> Vec<Entry> {
    let mut entries = vec![
        product("a", "Blue kettle", "kitchen", 2990, true),
        product("b", "Kettle", "kitchen", 4990, false),
        product("c", "Enamel mug blue", "kitchen", 1250, true),
        product("d", "Blue shirt", "clothing", 1990, true),
        product("e", "Crème brûlée set", "", 990, true),
        product("f", "Drill 1234", "tools", 9900, true),
        product("g", "Drill 1235", "tools", 12900, true),
    ];
    entries[3].description = Some("Warm as a kettle".into());
    entries[6].shown.created_at = Timestamp::from_millis(9000);
    entries
}

fn asked(query: &str) -> Query {
    Query { words: Some(Wanted::of(query, 8)), limit: 20, ..Query::default() }
}

fn ids(answer: &Answer) -> String {
    answer.hits.iter().map(|(_, shown)| shown.id.as_str()).collect()
}

fn found(query: &str) -> String {
    let one = ids(&snapshot(&shop(), 1).find(&asked(query)).unwrap());
    for segments in [2, 7] {
        assert_eq!(ids(&snapshot(&shop(), segments).find(&asked(query)).unwrap()), one, "{query}");
    }
    one
}

#[test]
fn what_fits_better_comes_first_however_the_index_is_cut() {
    assert_eq!(found("kettle"), "bad", "the shorter name, the longer one, the description");
    assert_eq!(found("ketle"), "ba", "a typing error");
    assert_eq!(found("kettel"), "ba");
    assert_eq!(found("ket"), "ba", "a beginning");
    assert_eq!(found("kwttl"), "ba", "a beginning with an error");
    assert_eq!(found("blue kettle"), "ad", "every word is found");
    assert_eq!(found("kitchen mug"), "c", "a category is words too");
    assert_eq!(found("CREME"), "e");
    assert_eq!(found("1234"), "f", "another number is another thing");
    assert_eq!(found("drill 123"), "gf", "what is alike stands in an order that never changes");
    assert_eq!(found("sofa"), "");
    assert_eq!(found("?!"), "");
}

#[test]
fn filters_leave_what_was_asked_for_and_facets_say_what_else_there_is() {
    let snapshot = snapshot(&shop(), 3);
    let blue = |change: fn(&mut Query)| {
        let mut query = asked("blue");
        change(&mut query);
        snapshot.find(&query).unwrap()
    };
    let all = blue(|_| ());
    assert_eq!((all.total, all.goes_on), (3, false));
    assert_eq!(all.categories, [("kitchen".to_owned(), 2), ("clothing".to_owned(), 1)]);
    let usd = |minor| Money { minor, currency: Currency::USD };
    let range = |from, to, count| PriceRange { from: usd(from), to: usd(to), count };
    assert_eq!(all.prices, [range(1000, 1999, 2), range(2000, 4999, 1)]);
    let of_kitchen = blue(|query| query.category = Some("kitchen".into()));
    assert_eq!(of_kitchen.total, 2);
    assert_eq!(of_kitchen.categories, all.categories, "the other categories are told of");
    assert_eq!(of_kitchen.prices, [range(1000, 1999, 1), range(2000, 4999, 1)]);
    let cheap = blue(|query| query.max_price = Bound::parse("19.90"));
    assert_eq!((cheap.total, cheap.categories.len(), &cheap.prices), (2, 2, &all.prices));
    let dear = blue(|query| query.min_price = Bound::parse("19.9001"));
    assert_eq!(ids(&dear), "a");
    assert_eq!(blue(|query| query.category = Some("none".into())).total, 0);
    assert_eq!(blue(|query| query.currency = Some("EUR".parse().unwrap())).total, 0);
    assert_eq!(ids(&snapshot.find(&Query { in_stock: Some(true), ..asked("kettle") }).unwrap()), "ad");
    assert_eq!(ids(&snapshot.find(&Query { in_stock: Some(false), ..asked("kettle") }).unwrap()), "b");
}

#[test]
fn orders_are_those_of_the_catalogue() {
    let snapshot = snapshot(&shop(), 2);
    let sorted = |sort| ids(&snapshot.find(&Query { sort, ..asked("blue") }).unwrap());
    assert_eq!((sorted(Sort::PriceUp), sorted(Sort::PriceDown)), ("cda".to_owned(), "adc".to_owned()));
    let newest = snapshot.find(&Query { sort: Sort::Newest, ..asked("drill") }).unwrap();
    assert_eq!(ids(&newest), "gf");
}

/// The index changes between pages: what stays as it is is shown once.
#[test]
fn pages_go_on_in_another_version_of_the_index() {
    let entries: Vec<_> = (0..40)
        .map(|number| {
            let name = format!("Blue mug{}", " large".repeat(number % 3));
            product(&format!("p-{number}"), &name, "kitchen", 100 + i64::try_from(number % 7).unwrap(), true)
        })
        .collect();
    for sort in [Sort::Relevance, Sort::Newest, Sort::PriceUp, Sort::PriceDown] {
        let all = snapshot(&entries, 1).find(&Query { sort, limit: 100, ..asked("blue") }).unwrap();
        let (mut shown, mut after) = (Vec::new(), None);
        for segments in 1.. {
            let answer = snapshot(&entries, segments % 9 + 1)
                .find(&Query { sort, limit: 6, after, ..asked("blue") })
                .unwrap();
            assert_eq!(answer.total, 40);
            after = answer.hits.last().map(|(place, _)| *place);
            shown.extend(answer.hits.into_iter().map(|(_, shown)| shown.id));
            if !answer.goes_on {
                break;
            }
        }
        assert_eq!(shown, all.hits.into_iter().map(|(_, shown)| shown.id).collect::<Vec<_>>());
    }
}

#[test]
fn bounds_are_of_each_currency() {
    let bound = |text| Bound::parse(text).unwrap();
    let (usd, jpy, kwd) = (Currency::USD, "JPY".parse().unwrap(), "KWD".parse().unwrap());
    assert_eq!((bound("19.99").least(usd), bound("19.99").most(usd)), (1999, 1999));
    assert_eq!((bound("19.99").least(jpy), bound("19.99").most(jpy)), (20, 19));
    assert_eq!((bound("19.9999").least(kwd), bound("19.9999").most(kwd)), (20_000, 19_999));
    assert_eq!(bound("0").least(usd), 0);
    for text in ["", ".", "1.", ".5", "-1", "1e3", "1.00001", " 1", "1234567890123456"] {
        assert_eq!(Bound::parse(text), None, "{text}");
    }
}

#[test]
fn ranges_of_prices_leave_none_out() {
    for price in [0, 1, 2, 4, 5, 9, 10, 99, 100, 1999, 2000, 999_999_999_999_999] {
        let step = step_of(price);
        assert!(beginning_of(step) <= price && price < beginning_of(step + 1), "{price}: {step}");
    }
}

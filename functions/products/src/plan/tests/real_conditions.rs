//! The store's real expressions, evaluated by the embedded cloud's DynamoDB, against the model that the plan is tested
//! with: each condition of each step on both of its sides. Where one of the two is mistaken, they come apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use shop_lambda::{Environment, Random};
use shop_local::cloud::{Cloud, Options, simulated_runtime};
use shop_local::template::Template;

use super::*;
use crate::store::Store;
use crate::watch::Watch;

/// When the counters and entries of a case were written.
const WRITTEN: i64 = 5000;

/// What the table holds, and a step that somebody carries out.
struct Case {
    name: String,
    table: StockState,
    step: Step,
}

/// Makes cases of products and orders that no other case has, so that all of them share a table.
#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, name: String, table: StockState, step: Step) {
        self.0.push(Case { name, table, step });
    }

    fn product(&self, name: &str) -> ProductId {
        product(&format!("{name}-{}", self.0.len()))
    }

    fn order(&self, name: &str) -> OrderId {
        order(&format!("{name}-{}", self.0.len()))
    }

    /// A counter with 2 available and 4 reserved.
    fn stock(&self, name: &str) -> Stock {
        let stock = stock(self.product(name).as_str(), 2, 4);
        Stock { version: 4, updated_at: Timestamp::from_millis(WRITTEN), ..stock }
    }

    fn entry(&self, name: &str, version: u64) -> Reservation {
        let (order, at) = (self.order(name), Timestamp::from_millis(WRITTEN));
        let entry = Reservation::reserved(order, vec![], at, cause("created"));
        Reservation { version, ..entry }
    }
}

fn table(
    stocks: impl IntoIterator<Item = Stock>,
    entries: impl IntoIterator<Item = Reservation>,
) -> StockState {
    StockState {
        stocks: stocks.into_iter().map(|stock| (stock.product_id.clone(), stock)).collect(),
        reservations: entries.into_iter().map(|entry| (entry.order_id.clone(), entry)).collect(),
    }
}

fn delta_of(net: i64, at: i64) -> StockDelta {
    // With and without an event behind it: what the last cause had and this one has not must go.
    let cause = if net % 2 == 0 { Cause::request("request-2") } else { cause("moved") };
    StockDelta { net, at: Timestamp::from_millis(at), cause, crossing: Crossing::Unwatched }
}

/// A counter that is watched moves if nothing is crossed that the plan did not say.
fn crossings(cases: &mut Cases) {
    let low = Watch::default().moved(9, 3, 2);
    for (watch, available) in [
        (None, 20),
        (Some(Watch::default()), 20),
        (Some(Watch::default()), 6),
        (Some(Watch::default()), 5),
        (Some(low), 3),
        (Some(low), 4),
        (Some(low), 2),
    ] {
        // The plan was made from what was there, or from something else.
        for (read, level, version) in [
            (watch, available, 4),
            (watch, available, 3),
            (watch, available + 1, 4),
            (watch, available - 1, 4),
            (Some(Watch::new(7)), available, 4),
            (Some(Watch::default()), 20, 3),
        ] {
            for net in [-2, -1, 1, 2] {
                let stock = Stock { watch, available, total: available + 4, ..cases.stock("a") };
                let Some(after) = level.checked_add_signed(-net) else { continue };
                let crossing = Crossing::of(read, version, net, after);
                if matches!(crossing, Crossing::To { .. }) && (read, level) != (watch, available) {
                    // Nobody reads another level at the very version.
                    continue;
                }
                let change = StockDelta { crossing, ..delta_of(net, WRITTEN) };
                let deltas = StockDeltas::from([(stock.product_id.clone(), change)]);
                let name =
                    format!("{net} of {available} as {watch:?}, read {level} as {read:?} at {version}");
                cases.add(name, table([stock], []), Step::Settle { deltas, entries: vec![] });
            }
        }
    }
}

/// A counter changes if it is there, has enough, was not deleted (for what is set aside), and has no later time.
fn deltas(cases: &mut Cases) {
    for net in [-5, -4, -1, 1, 2, 3] {
        for is_deleted in [false, true] {
            for at in [WRITTEN - 1, WRITTEN, WRITTEN + 1] {
                let deleted_at = is_deleted.then_some(Timestamp::from_millis(WRITTEN));
                let stock = Stock { deleted_at, ..cases.stock("a") };
                let deltas = StockDeltas::from([(stock.product_id.clone(), delta_of(net, at))]);
                let name = format!("{net} at {at}, deleted: {is_deleted}");
                cases.add(name, table([stock], []), Step::Settle { deltas, entries: vec![] });
            }
        }
    }
    for net in [-1, 1] {
        let deltas = StockDeltas::from([(cases.product("a"), delta_of(net, WRITTEN))]);
        cases.add(
            format!("{net}, not there"),
            StockState::default(),
            Step::Settle { deltas, entries: vec![] },
        );
    }
}

/// An entry is written if the ledger has the version that it replaces, or none.
fn entries(cases: &mut Cases) {
    for found in [None, Some(1), Some(2)] {
        for replaces in [None, Some(1), Some(2)] {
            let before = found.map(|version| cases.entry("o", version));
            let reservation = cases.entry("o", replaces.map_or(1, |version| version + 1));
            let entries = vec![Entry { reservation, replaces }];
            let name = format!("{found:?} in the place of {replaces:?}");
            cases.add(name, table([], before), Step::Settle { deltas: StockDeltas::new(), entries });
        }
    }
}

/// Nothing of a step takes effect where one of its parts does not hold.
fn wholes(cases: &mut Cases) {
    for (second, replaces) in [(2, None), (3, None), (2, Some(1))] {
        let stocks = [cases.stock("a"), cases.stock("b")];
        let nets = [1, second];
        let deltas =
            stocks.iter().zip(nets).map(|(stock, net)| (stock.product_id.clone(), delta_of(net, WRITTEN)));
        let step = Step::Settle {
            deltas: deltas.collect(),
            entries: vec![
                Entry { reservation: cases.entry("o", 1), replaces: None },
                Entry { reservation: cases.entry("p", 1), replaces },
            ],
        };
        cases.add(
            format!("a second move of {second}, a second entry for {replaces:?}"),
            table(stocks, []),
            step,
        );
    }
}

/// A claim is left with a coordinator that has the version that was read and keeps no other; its deltas must fit as any do.
fn claims(cases: &mut Cases) {
    for (nets, at) in
        [([1, 2], WRITTEN), ([0, -4], WRITTEN), ([0, 0], WRITTEN - 1), ([3, 1], WRITTEN), ([1, 3], WRITTEN)]
    {
        for coordinator_version in [3, 4, 5] {
            for keeps in [false, true] {
                let claim = keeps.then(|| cases.entry("other", 1));
                let stocks = [Stock { claim, ..cases.stock("a") }, cases.stock("b")];
                let coordinator = stocks[0].product_id.clone();
                let deltas =
                    stocks.iter().zip(nets).map(|(stock, net)| (stock.product_id.clone(), delta_of(net, at)));
                let (deltas, reservation) = (deltas.collect(), cases.entry("o", 1));
                let name =
                    format!("{nets:?} at {at}, of version {coordinator_version}, which keeps one: {keeps}");
                let step = Step::Claim { deltas, coordinator, coordinator_version, reservation };
                cases.add(name, table(stocks, []), step);
            }
        }
    }
}

/// An entry comes out of the claim that is that very entry, into a ledger that has what it replaces.
fn completions(cases: &mut Cases) {
    for claimed in [None, Some(("o", 1)), Some(("o", 2)), Some(("other", 1)), Some(("other", 2))] {
        for found in [None, Some(1), Some(2)] {
            for version in [1, 2] {
                let claim = claimed.map(|(order, version)| cases.entry(order, version));
                let stock = Stock { claim, ..cases.stock("a") };
                let before = found.map(|version| cases.entry("o", version));
                let coordinator = stock.product_id.clone();
                let entry = Entry::of(cases.entry("o", version));
                let name = format!("version {version} from {claimed:?} in the place of {found:?}");
                cases.add(name, table([stock], before), Step::Complete { coordinator, entry });
            }
        }
    }
    let (coordinator, entry) = (cases.product("a"), Entry::of(cases.entry("o", 1)));
    cases.add(
        "a coordinator that is not there".into(),
        StockState::default(),
        Step::Complete { coordinator, entry },
    );
}

/// An entry is re-emitted if neither it nor its count has changed.
fn re_emissions(cases: &mut Cases) {
    for found in [None, Some((1, 0)), Some((1, 1)), Some((1, 2)), Some((2, 0)), Some((2, 1))] {
        for read in [(1, 0), (1, 1), (2, 0), (2, 1)] {
            let of = |(version, re_emits)| Reservation { re_emits, ..cases.entry("o", version) };
            let (before, entries) = (found.map(of), vec![of(read)]);
            let name = format!("{read:?} of {found:?}");
            cases.add(name, table([], before), Step::ReEmit { entries });
        }
    }
}

/// The table of the template, without any function.
struct Real {
    // It ends with the last handle.
    _cloud: Cloud,
    client: Client,
    name: String,
    store: Store,
}

impl Real {
    async fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let mut template =
            Template::parse(&std::fs::read_to_string(path).unwrap(), &BTreeMap::new()).unwrap();
        template.functions.clear();
        let cloud = Cloud::start(&template, &[], Options::simulated(1)).await.unwrap();
        let sdk = cloud.sdk_config("test");
        let name = cloud.physical("ProductsTable").unwrap().to_owned();
        let variables = BTreeMap::from([("PRODUCTS_TABLE".to_owned(), name.clone())]);
        let client = Client::new(&sdk);
        let store =
            Store::start(&Environment::new(variables, sdk, Random::system()), client.clone()).unwrap();
        Self { _cloud: cloud, client, name, store }
    }

    async fn put<T: Serialize>(&self, sort_key: &str, value: &T) {
        let mut item: HashMap<String, AttributeValue> = serde_dynamo::to_item(value).unwrap();
        item.insert("sk".to_owned(), AttributeValue::S(sort_key.to_owned()));
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.unwrap();
    }

    /// Everything that is there of what a case knows: its own products and orders.
    async fn read(&self, expected: &StockState, step: &Step) -> StockState {
        let published = match step {
            Step::Settle { entries, .. } => entries.iter().map(|entry| &entry.reservation).collect(),
            Step::Claim { reservation, .. } => vec![reservation],
            Step::Complete { entry, .. } => vec![&entry.reservation],
            Step::ReEmit { entries } => entries.iter().collect(),
        };
        let published = published.into_iter().map(|entry| &entry.order_id);
        let orders: BTreeSet<_> = expected.reservations.keys().chain(published).collect();
        let lines = expected.stocks.keys();
        let lines: Vec<_> =
            lines.map(|product| ReservedLine { product_id: product.clone(), quantity: 1 }).collect();
        let of = |order: &OrderId| ReservationRequest {
            order_id: order.clone(),
            lines: lines.clone(),
            ..placed("", 0, &[])
        };
        let mut requests: Vec<_> = orders.into_iter().map(of).collect();
        if requests.is_empty() {
            requests.push(ReservationRequest { lines, ..placed("nobody's", 0, &[]) });
        }
        self.store.stock_state(&requests).await.unwrap()
    }
}

#[test]
fn the_store_asks_what_the_model_asks_and_changes_what_it_changes() {
    let mut cases = Cases::default();
    for add in [deltas, crossings, entries, wholes, claims, completions, re_emissions] {
        let before = cases.0.len();
        add(&mut cases);
        let mut ends = cases.0[before..].iter().map(|case| carry_out(&mut case.table.clone(), &case.step));
        let first = ends.next().unwrap();
        assert!(ends.any(|end| end != first), "both sides of the conditions are tried");
    }
    simulated_runtime().unwrap().block_on(async {
        let real = Real::new().await;
        for Case { name, mut table, step } in cases.0 {
            for stock in table.stocks.values() {
                real.put("stock", stock).await;
            }
            for entry in table.reservations.values() {
                real.put("reservation", entry).await;
            }
            let took_effect = real.store.carry_out(&step).await.unwrap();
            assert_eq!(took_effect, carry_out(&mut table, &step), "{name}: {step:?}");
            assert_eq!(real.read(&table, &step).await, table, "{name}: {step:?}");
        }
    });
}

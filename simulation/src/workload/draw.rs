//! Draws a plan from a seed: the catalogue, and who does what when.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use shop_events::OrderStatus;

use super::plan::{Action, Governing, Look, Operation, Person, Plan, Shopper, Ware};
use super::{exporting, importing, large};

/// Tells this use of the seed from others.
const SALT: u64 = 0x5eed_0001;
/// The most orders of a run; 30 on average.
const ORDERS: std::ops::RangeInclusive<usize> = 10..=50;

impl Plan {
    pub(crate) fn draw(seed: u64) -> Self {
        let random = &mut StdRng::seed_from_u64(seed ^ SALT);
        let customers = random.random_range(2..=5);
        let wares = wares(random);
        // A rush in two seconds, or some minutes of business.
        let open_for = *[2_000, 10_000, 60_000, 600_000].choose(random).unwrap_or(&10_000);
        let people = people(random);
        let (products, registered) = (wares.len(), people.len());
        let mut drawer =
            Drawer { random, customers, people: registered, products, open_for, operations: Vec::new() };
        (0..registered).for_each(|number| drawer.live(number));
        if registered > 0 && drawer.random.random_ratio(2, 3) {
            drawer.govern();
        }
        let orders = drawer.random.random_range(ORDERS);
        for _ in 0..orders {
            drawer.place();
        }
        for _ in 0..orders / 3 {
            drawer.cancel();
        }
        for _ in 0..drawer.random.random_range(2..12) {
            drawer.administer();
        }
        for _ in 0..drawer.random.random_range(2..10) {
            drawer.look();
        }
        drawer.send();
        drawer.log_out();
        let operations = drawer.operations;
        let limits = (seed % 8 == 5).then_some((4, 3));
        let mut plan = Self { customers, people, wares, operations, open_for, limits };
        large::add(seed, &mut plan);
        importing::add(seed, &mut plan);
        exporting::add(seed, &mut plan);
        plan
    }
}

/// Those who register, in one of twelve runs: a password's hash takes as long as some orders.
fn people(random: &mut StdRng) -> Vec<Person> {
    let count = if random.random_ratio(1, 12) { random.random_range(1..=3) } else { 0 };
    let is_rivalry = random.random_ratio(1, 2);
    let person = |number: usize| Person {
        email: format!("person-{}@example.com", if is_rivalry { 0 } else { number }),
        password: format!("a password of person {number}"),
    };
    (0..count).map(person).collect()
}

/// A hot product that does not last, one that is sold out, one with plenty, and some others.
fn wares(random: &mut StdRng) -> Vec<Ware> {
    let stocks =
        [random.random_range(5..60), 0, 100_000, random.random_range(1..10), random.random_range(0..200)];
    let count = random.random_range(3..=stocks.len());
    let ware = |(number, stock): (usize, &u64)| Ware {
        id: format!("ware-{number}"),
        price: random.random_range(1..20_000),
        stock: *stock,
    };
    stocks.iter().take(count).enumerate().map(ware).collect()
}

struct Drawer<'a> {
    random: &'a mut StdRng,
    customers: usize,
    people: usize,
    products: usize,
    open_for: u64,
    operations: Vec<Operation>,
}

impl Drawer<'_> {
    fn push(&mut self, who: Shopper, action: Action) {
        let at = self.random.random_range(0..self.open_for);
        self.operations.push(Operation { at, who, action });
    }

    fn shopper(&mut self) -> Shopper {
        match self.random.random_range(0..10) {
            0..2 => Shopper::Guest,
            2 => Shopper::Administrator,
            3..5 if self.people > 0 => Shopper::Person(self.random.random_range(0..self.people)),
            _ => Shopper::Customer(self.random.random_range(0..self.customers)),
        }
    }

    fn product(&mut self) -> usize {
        // Half of all demand is for the hot product.
        if self.random.random_ratio(1, 2) { 0 } else { self.random.random_range(0..self.products) }
    }

    fn lines(&mut self) -> Vec<(usize, u32)> {
        let mut lines: Vec<(usize, u32)> = Vec::new();
        for _ in 0..self.random.random_range(1..=3) {
            let product = self.product();
            if lines.iter().all(|(other, _)| *other != product) {
                lines.push((product, self.random.random_range(1..=4)));
            }
        }
        lines
    }

    fn placed(&mut self) -> Option<usize> {
        let is_order = |operation: &Operation| matches!(operation.action, Action::Place { .. });
        let placed = (0..self.operations.len()).filter(|number| is_order(&self.operations[*number]));
        placed.collect::<Vec<_>>().choose(self.random).copied()
    }

    fn place(&mut self) {
        let again = self.random.random_range(0..100);
        if again < 20
            && let Some(earlier) = self.placed()
            && let Operation { who, action: Action::Place { lines, key: Some(key), with_prices }, .. } =
                self.operations[earlier].clone()
        {
            // The same request once more, or another under the same key.
            let lines = if again < 14 { lines } else { self.lines() };
            return self.push(who, Action::Place { lines, key: Some(key), with_prices });
        }
        let who = self.shopper();
        let key =
            self.random.random_ratio(2, 3).then(|| format!("key-{:032x}", self.random.random::<u128>()));
        let with_prices = self.random.random_ratio(1, 4);
        let lines = self.lines();
        self.push(who, Action::Place { lines, key, with_prices });
    }

    fn cancel(&mut self) {
        if let Some(order) = self.placed() {
            let who = self.operations[order].who;
            // Somebody whose session is over cannot cancel; an administrator does it for them.
            let who = if matches!(who, Shopper::Person(_)) { Shopper::Administrator } else { who };
            let at = self.operations[order].at + self.random.random_range(0..=self.open_for / 4);
            self.operations.push(Operation { at, who, action: Action::Cancel(order) });
        }
    }

    /// Some of the orders are shipped, whatever has become of them by then, and some of those delivered.
    fn send(&mut self) {
        for order in 0..self.operations.len() {
            let is_order = matches!(self.operations[order].action, Action::Place { .. });
            if !is_order || !self.random.random_ratio(1, 3) {
                continue;
            }
            let mut at = self.operations[order].at;
            for to in [OrderStatus::Shipped, OrderStatus::Delivered] {
                at += self.random.random_range(0..=self.open_for / 4);
                let action = Action::Send { order, to };
                self.operations.push(Operation { at, who: Shopper::Administrator, action });
                if self.random.random_ratio(1, 2) {
                    break;
                }
            }
        }
    }

    /// People log out, whatever they are about, and in again.
    fn log_out(&mut self) {
        for person in 0..self.people {
            let who = Shopper::Person(person);
            let mut at = self.random.random_range(self.open_for / 4..self.open_for);
            for action in [Action::LogOut, Action::LogIn] {
                self.operations.push(Operation { at, who, action });
                at += self.random.random_range(0..self.open_for / 8);
            }
        }
    }

    fn administer(&mut self) {
        let product = self.product();
        let action = match self.random.random_range(0..20) {
            0..6 => Action::SetStock { product, level: self.random.random_range(0..80) },
            6..13 => {
                let size = self.random.random_range(1..30);
                let delta = if self.random.random_ratio(1, 2) { size } else { -size };
                let key = self.random.random_ratio(2, 3);
                let key = key.then(|| format!("stock-{:032x}", self.random.random::<u128>()));
                Action::MoveStock { product, delta, key }
            }
            13..17 => Action::Reprice { product, price: self.random.random_range(1..20_000) },
            17 => {
                let id = format!("new-{}", self.operations.len());
                Action::Create(Ware { id, price: 500, stock: self.random.random_range(0..50) })
            }
            // Not the hot one: too little would be left to happen.
            18 => Action::Delete(self.random.random_range(1..self.products)),
            _ => Action::SetStock { product, level: 0 },
        };
        let at = self.random.random_range(0..self.open_for);
        // Now and then the same change under the same key is sent twice at once.
        if matches!(action, Action::MoveStock { key: Some(_), .. }) && self.random.random_ratio(1, 2) {
            let at = at + self.random.random_range(0..10);
            self.operations.push(Operation { at, who: Shopper::Administrator, action: action.clone() });
        }
        self.operations.push(Operation { at, who: Shopper::Administrator, action });
    }

    /// What somebody does with an account, in its order for the most part.
    fn live(&mut self, number: usize) {
        let who = Shopper::Person(number);
        let key = self.random.random_ratio(1, 2);
        let key = key.then(|| format!("person-{:032x}", self.random.random::<u128>()));
        let mut at = self.random.random_range(0..self.open_for / 4);
        let mut push = |drawer: &mut Self, action| {
            drawer.operations.push(Operation { at, who, action });
            at += drawer.random.random_range(0..drawer.open_for / 8);
        };
        push(self, Action::Register { key });
        push(self, Action::LogIn);
        for _ in 0..self.random.random_range(0..5) {
            let action = match self.random.random_range(0..9) {
                0..2 => Action::Refresh { used: false },
                2 => Action::Refresh { used: true },
                3 => Action::Rename,
                4 => Action::ChangePassword,
                5 => Action::ChangeAddress,
                6..8 => Action::Look(Look::Me),
                _ => Action::LogIn,
            };
            push(self, action);
        }
        if self.random.random_ratio(1, 3) {
            push(self, Action::Leave);
        }
    }

    /// Administrators make one another and take one another's role away, several at once.
    fn govern(&mut self) {
        let deputies: Vec<_> = (0..self.people).map(Shopper::Person).collect();
        for deputy in &deputies {
            for _ in 0..2 {
                self.push(
                    Shopper::Administrator,
                    Action::Govern { what: Governing::Promote(*deputy), use_old: false },
                );
                self.push(*deputy, Action::LogIn);
            }
        }
        let all: Vec<_> = deputies.iter().copied().chain([Shopper::Administrator]).collect();
        for _ in 0..self.random.random_range(4..16) {
            let whom = all.choose(self.random).copied().unwrap_or(Shopper::Administrator);
            let what = match self.random.random_range(0..8) {
                0..2 => Governing::ListUsers,
                2..4 => Governing::Promote(whom),
                4..6 => Governing::Demote(whom),
                6 => Governing::LogOut,
                _ => Governing::StepDown,
            };
            let use_old = self.random.random_ratio(1, 3);
            let who = all.choose(self.random).copied().unwrap_or(Shopper::Administrator);
            self.push(who, Action::Govern { what, use_old });
        }
        // One after the other becomes an administrator, logs in and out again.
        for deputy in &deputies {
            let mut at = self.random.random_range(0..self.open_for);
            let steps = [
                (
                    Shopper::Administrator,
                    Action::Govern { what: Governing::Promote(*deputy), use_old: false },
                ),
                (*deputy, Action::LogIn),
                (*deputy, Action::Govern { what: Governing::LogOut, use_old: false }),
            ];
            for (who, action) in steps {
                self.operations.push(Operation { at, who, action });
                at += self.random.random_range(0..self.open_for / 8);
            }
        }
        // All who are administrators step down within a moment: one of them cannot.
        let at = self.random.random_range(0..self.open_for);
        for who in all {
            let at = at + self.random.random_range(0..20);
            let action = Action::Govern { what: Governing::StepDown, use_old: false };
            self.operations.push(Operation { at, who, action });
        }
    }

    fn look(&mut self) {
        let order = self.placed();
        let look = match (self.random.random_range(0..6), order) {
            (0 | 1, Some(order)) => Look::Order(order),
            (0..3, _) => Look::OwnOrders,
            (3, _) => Look::Statistics(self.random.random_range(0..self.customers)),
            (4, _) => Look::Product(self.product()),
            _ => Look::Catalogue,
        };
        let who = self.shopper();
        let look = match (look, who) {
            (Look::OwnOrders, Shopper::Guest | Shopper::Administrator) => Look::AllOrders,
            (look, _) => look,
        };
        self.push(who, Action::Look(look));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_30_orders_on_average_and_the_same_ones_again() {
        let orders = |seed| {
            let is_order = |operation: &&Operation| matches!(operation.action, Action::Place { .. });
            Plan::draw(seed).operations.iter().filter(is_order).count()
        };
        let sum: usize = (0..500).map(orders).sum();
        assert!((28..=32).contains(&(sum / 500)), "{sum}");
        assert_eq!(format!("{:?}", Plan::draw(3)), format!("{:?}", Plan::draw(3)));
        assert_ne!(format!("{:?}", Plan::draw(3)), format!("{:?}", Plan::draw(4)));
    }
}

//! Any walk of stock gives exactly the crossings of a reference model.

use proptest::prelude::*;

use super::*;

/// What is told of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Low,
    Replenished,
    SoldOut,
    BackInStock,
}

/// The reference: it knows the rule, and no versions, ranges or writes.
#[derive(Debug)]
struct Reference {
    threshold: u64,
    level: u64,
    is_low: bool,
}

impl Reference {
    fn write(&mut self, threshold: u64, level: u64) -> Vec<Told> {
        let mut told = Vec::new();
        if (threshold, level) == (self.threshold, self.level) {
            return told;
        }
        if !self.is_low && level < threshold {
            self.is_low = true;
            told.push(Told::Low);
        } else if self.is_low && level >= threshold + threshold / 5 {
            self.is_low = false;
            told.push(Told::Replenished);
        }
        match (self.level, level) {
            (1.., 0) => told.push(Told::SoldOut),
            (0, 1..) => told.push(Told::BackInStock),
            _ => {}
        }
        (self.threshold, self.level) = (threshold, level);
        told
    }
}

/// What two watches and levels, before and after a write, tell: as `events` reads them.
fn told(old: (Watch, u64), new: (Watch, u64)) -> Vec<Told> {
    let mut told = Vec::new();
    match (old.0.low_since, new.0.low_since) {
        (before, Some(now)) if before != Some(now) => told.push(Told::Low),
        (Some(_), None) => told.push(Told::Replenished),
        _ => {}
    }
    if new.0.sold_out_since.is_some() && new.0.sold_out_since != old.0.sold_out_since {
        told.push(Told::SoldOut);
    }
    if old.1 == 0 && new.1 > 0 {
        told.push(Told::BackInStock);
    }
    told
}

/// A write: some moves of the level that are coalesced, or a level, or a threshold with either.
#[derive(Clone, Debug)]
enum Write {
    Moves(Vec<i64>),
    Level(u64),
    Threshold(u64),
    Both(u64, u64),
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = prop_oneof![
        5 => prop::collection::vec(-6_i64..6, 1..4).prop_map(Write::Moves),
        1 => (0_u64..14).prop_map(Write::Level),
        1 => (0_u64..14).prop_map(Write::Threshold),
        1 => (0_u64..14, 0_u64..14).prop_map(|(threshold, level)| Write::Both(threshold, level)),
    ];
    prop::collection::vec(write, 0..40)
}

proptest! {
    #[test]
    fn any_walk_gives_the_crossings_of_the_reference(
        threshold in 0_u64..14, level in 0_u64..14, writes in writes(),
    ) {
        let mut watch = Watch::new(threshold);
        let mut reference = Reference { threshold, level, is_low: false };
        let mut level = level;
        let mut all = Vec::new();
        for (version, write) in (2..).zip(writes) {
            let before = level;
            let after = match write {
                Write::Moves(ref moves) => level.saturating_add_signed(moves.iter().sum()),
                Write::Level(level) | Write::Both(_, level) => level,
                Write::Threshold(_) => level,
            };
            let next = match write {
                Write::Threshold(low_at) | Write::Both(low_at, _) => {
                    watch.with_threshold(low_at, before, after, version)
                }
                _ => watch.moved(before, after, version),
            };
            let expected = reference.write(next.threshold(), after);
            let seen = told((watch, before), (next, after));
            prop_assert_eq!(&seen, &expected, "{:?} to {:?}", (watch, before), (next, after));
            // Where it began is in the state as long as it lasts, and what began now began at this version.
            prop_assert!(!seen.contains(&Told::Low) || next.low_since == Some(version));
            prop_assert!(!seen.contains(&Told::SoldOut) || next.sold_out_since == Some(version));
            all.extend(seen);
            (watch, level) = (next, after);
        }
        // Each of a pair comes after the other, and low comes first.
        let turns = |a, b| all.iter().copied().filter(|told| [a, b].contains(told)).collect::<Vec<_>>();
        let low = turns(Told::Low, Told::Replenished);
        prop_assert!(low.iter().enumerate().all(|(i, told)| (*told == Told::Low) == (i % 2 == 0)), "{low:?}");
        let none = turns(Told::SoldOut, Told::BackInStock);
        prop_assert!(none.windows(2).all(|pair| pair[0] != pair[1]), "{none:?}");
    }

    /// A write that was made from an older read either asks for what is not so, or crosses what it says it does.
    #[test]
    fn a_write_that_is_let_through_tells_the_truth(
        threshold in 0_u64..14, walk in prop::collection::vec(0_u64..14, 1..20), net in -8_i64..8, stale in any::<prop::sample::Index>(),
    ) {
        // Every state that the counter had: watch, level, version.
        let mut states = vec![(Watch::new(threshold), 7_u64, 1_u64)];
        for level in walk {
            let (watch, before, version) = *states.last().unwrap();
            states.push((watch.moved(before, level, version + 1), level, version + 1));
        }
        let (read, level, version) = states[stale.index(states.len())];
        let Some(left) = level.checked_add_signed(-net) else { return Ok(()) };
        let (watch, level, now) = *states.last().unwrap();
        let Some(after) = level.checked_add_signed(-net) else { return Ok(()) };
        let crossing = Crossing::of(Some(read), version, net, left);
        let expected = watch.moved(level, after, now + 1);
        match crossing {
            Crossing::Unwatched => prop_assert_eq!(net, 0),
            Crossing::Nothing { watch: asked, available } => {
                if asked == watch && available.contains(&level) {
                    prop_assert_eq!(expected, watch, "it said that nothing is crossed");
                    prop_assert_eq!(after == 0, level == 0);
                }
                // What was read fits, or nothing ever would.
                prop_assert!(available.contains(&left.saturating_add_signed(net)));
            }
            Crossing::To { version, watch: next } => {
                if version == now {
                    prop_assert_eq!(expected, next);
                }
            }
        }
    }
}

#[test]
fn a_level_that_goes_to_and_fro_is_told_once() {
    let mut watch = Watch::new(10);
    let levels = [30, 9, 10, 9, 11, 8, 12, 11, 9];
    let mut since = Vec::new();
    for (version, pair) in (2..).zip(levels.windows(2)) {
        watch = watch.moved(pair[0], pair[1], version);
        since.push(watch.low_since());
    }
    let low = Some(2);
    assert_eq!(since, [low, low, low, low, low, None, None, Some(9)]);
}

#[test]
fn a_threshold_of_nothing_is_never_gone_below() {
    let watch = Watch::new(0).moved(1, 0, 2);
    assert_eq!((watch.low_since(), watch.sold_out_since()), (None, Some(2)));
    assert_eq!(Watch::new(5).moved(9, 4, 2).with_threshold(0, 4, 4, 3), Watch::new(0));
}

#[test]
fn a_counter_of_before_there_were_watches_gets_one_with_its_first_move() {
    let crossing = Crossing::of(None, 7, 1, 20);
    assert_eq!(crossing, Crossing::To { version: 7, watch: Watch::default() });
    let crossing = Crossing::of(Some(Watch::default()), 8, 1, 20);
    assert_eq!(crossing, Crossing::Nothing { watch: Watch::default(), available: 6..=MAX_STOCK + 1 });
}

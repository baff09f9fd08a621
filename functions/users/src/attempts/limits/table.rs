//! docs/log-in-limits.md: what the limits come to for an attacker who does the most that they allow, played minute
//! by minute, and for the account's owner meanwhile.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::path::Path as FilePath;

use super::*;

const DAYS: i64 = 7;
/// The attacker looks for an attempt so often.
const STEP: i64 = 10 * SECOND;
/// The owner tries to log in once at each of these, at a moment that the attacker does not know.
const OWNER: i64 = 37 * MINUTE + 7 * SECOND;

/// An attacker with a number of addresses, at one account.
struct Attack {
    account: Option<i64>,
    /// When an address may try again, its buckets, and its number.
    ready: BinaryHeap<Reverse<(i64, usize)>>,
    pairs: Vec<(Option<Failures>, Option<i64>)>,
}

impl Attack {
    fn of(addresses: usize) -> Self {
        let ready = (0..addresses).map(|address| Reverse((0, address))).collect();
        Self { account: None, ready, pairs: vec![(None, None); addresses] }
    }

    /// Makes every attempt that is possible now; how many.
    fn strike(&mut self, now: i64) -> u64 {
        let mut guesses = 0;
        while ACCOUNT.check(self.account, now).is_ok() {
            let Some(&Reverse((at, address))) = self.ready.peek() else { break };
            if at > now {
                break;
            }
            self.ready.pop();
            let (pair, rate) = &mut self.pairs[address];
            let seen = Seen { address: *rate, account: self.account, pair: *pair, ..Seen::default() };
            if let Err(Wait(wait)) = seen.check(Path::Stranger, now) {
                self.ready.push(Reverse((now + wait, address)));
                continue;
            }
            *pair = PAIR.count(*pair, now).ok();
            *rate = Some(rate.unwrap_or(now).max(now) + ADDRESS.interval());
            self.account = Some(self.account.unwrap_or(now).max(now) + ACCOUNT.interval());
            self.ready.push(Reverse((now, address)));
            guesses += 1;
        }
        guesses
    }
}

struct Outcome {
    first_day: u64,
    last_day: u64,
    /// Of a hundred of the owner's attempts: with the device, from a known address, as a stranger.
    owner: [u64; 3],
}

fn play(addresses: usize) -> Outcome {
    let mut attack = Attack::of(addresses);
    let mut by_day = vec![0; usize::try_from(DAYS).unwrap()];
    let (mut tried, mut allowed) = (0, [0; 3]);
    let mut owner_at = OWNER;
    for now in (0..DAYS * DAY).step_by(usize::try_from(STEP).unwrap()) {
        by_day[usize::try_from(now / DAY).unwrap()] += attack.strike(now);
        while owner_at < now + STEP {
            tried += 1;
            // The owner knows the password, so what an attempt counted is given back.
            let seen = Seen { account: attack.account, ..Seen::default() };
            for (path, allowed) in [Path::Device, Path::Known, Path::Stranger].into_iter().zip(&mut allowed) {
                *allowed += u64::from(seen.check(path, owner_at).is_ok());
            }
            owner_at += OWNER;
        }
    }
    let owner = allowed.map(|allowed| allowed * 100 / tried);
    Outcome { first_day: by_day[0], last_day: *by_day.last().unwrap(), owner }
}

fn document() -> String {
    let mut text = String::from(
        "# What the log-in limits come to\n\n\
         Made by a test (`functions/users/src/attempts/limits/table.rs`; `UPDATE_DOCS=1 cargo test -p users` writes it anew) \
         out of the\nfunctions that decide in production. An attacker who knows no password makes every guess at one \
         account that the limits\nallow, for a week, as soon as they allow it. The owner, who knows the password, \
         tries every 37 minutes meanwhile. Why the\nlimits are as they are: [0015](decisions/0015-log-in-limits.md).\n\n\
         | attacker's addresses | guesses, first day | guesses, seventh day | owner let in: device token | known \
         address | new device and address |\n|--:|--:|--:|--:|--:|--:|\n",
    );
    for addresses in [1, 100, 10_000] {
        let Outcome { first_day, last_day, owner: [device, known, stranger] } = play(addresses);
        let _ = writeln!(
            text,
            "| {addresses} | {first_day} | {last_day} | {device} % | {known} % | {stranger} % |"
        );
    }
    text.push_str(
        "\nA refused owner is told in `Retry-After` when the next attempt is free. An IPv6 network of 64 bits is one \
         address.\n",
    );
    text
}

#[test]
fn the_document_says_what_the_limits_come_to() {
    let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log-in-limits.md");
    let made = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(stored, made, "UPDATE_DOCS=1 cargo test -p users writes it anew");
}

#[test]
fn no_number_of_strangers_keeps_out_a_known_device_or_address() {
    for addresses in [1, 100, 10_000] {
        let Outcome { first_day, last_day, owner } = play(addresses);
        assert_eq!(owner[..2], [100, 100], "{addresses}");
        assert!(first_day <= 20 + 24 * 40 && last_day <= 24 * 40 + 1, "{addresses}: {first_day}, {last_day}");
    }
    assert_eq!(play(1).owner[2], 100, "one address keeps nobody out");
}

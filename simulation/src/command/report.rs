//! What the command prints: lists, progress, sums, failures and their traces.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use crate::campaign::{Failure, Sum};
use crate::coverage::Coverage;
use crate::faults::Fault;
use crate::model::{invariants, without_invariants};
use crate::violation::Violation;
use crate::{mutants, order_trace};

/// Lines of a trace that are printed.
const TRACE_LINES: usize = 120;

pub(super) fn list() {
    println!("faults:");
    for fault in Fault::ALL {
        println!("  {:22}{}", fault.name(), fault.what().trim());
    }
    println!("invariants:");
    for (name, what) in invariants() {
        println!("  {name:32}{what}");
    }
    for (service, reason) in without_invariants() {
        println!("  {service}: none, since {reason}");
    }
    println!("mutants:");
    for mutant in mutants::all() {
        println!("  {:30}{}", mutant.name, mutant.stands_for);
    }
}

/// The trace of the order that a violation is about; what happened last, where it names none.
pub(super) fn order_trace(violation: &Violation, trace: &str) {
    let lines: Vec<String> = if let Some(order) = order_trace::order_in(&violation.seen) {
        println!("\nthe trace of {order}:");
        order_trace::of_order(trace, order).into_iter().take(TRACE_LINES).collect()
    } else {
        println!("\nwhat happened last:");
        let lines: Vec<_> = trace.lines().collect();
        lines[lines.len().saturating_sub(TRACE_LINES)..].iter().map(ToString::to_string).collect()
    };
    for line in lines {
        println!("  {line}");
    }
}

pub(super) fn progress(runs: u64, seconds: f64) {
    if io::stdout().is_terminal() || runs.is_multiple_of(250) {
        let rate = per_second(runs, seconds);
        let end = if io::stdout().is_terminal() { '\r' } else { '\n' };
        print!("{runs} seeds, {rate:.1} a second{end}");
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a rate for people to read")]
fn per_second(runs: u64, seconds: f64) -> f64 {
    runs as f64 / seconds.max(0.001)
}

pub(super) fn summarise(sum: &Sum, begun: Instant) {
    let rate = per_second(sum.runs, begun.elapsed().as_secs_f64());
    println!("{} seeds, {} orders, {} events, {rate:.1} seeds a second", sum.runs, sum.orders, sum.events);
    if let Some(megabytes) = most_memory() {
        println!("{megabytes} MB of memory at most");
    }
    let injected: Vec<_> = sum.injected.iter().map(|(fault, times)| format!("{fault} {times}")).collect();
    println!("faults: {}", injected.join(", "));
}

pub(super) fn failure(failure: &Failure) {
    println!("\nFAILED: cargo xtask simulate {}", failure.case);
    for violation in failure.violations.iter().take(10) {
        println!("  {violation}");
    }
}

pub(super) fn table(coverage: &Coverage) -> String {
    let mut lines = vec![format!("{:>8} {:>7} {:>7}  call", "made", "before", "after")];
    for (site, seen) in &coverage.0 {
        lines.push(format!("{:>8} {:>7} {:>7}  {site}", seen.calls, seen.before, seen.after));
    }
    lines.join("\n")
}

/// The most memory that this process has held, where the system says (`/proc`).
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1000)
}

//! The same case is the same run, byte for byte, whatever else the process runs; and another seed is another one.

use std::thread;

use simulation::{Case, run, template};

/// Seeds with many faults: crashes, repeats, a consumer or relay that is down for hours.
const SEEDS: [u64; 3] = [1, 8, 12];

#[test]
fn the_same_seed_gives_the_same_trace_alone_and_beside_others() {
    let template = &template().unwrap();
    let trace = |seed: u64| run(&Case::of_seed(seed), template, true).unwrap().trace.unwrap();
    let alone = SEEDS.map(trace);
    let beside_others = thread::scope(|scope| {
        let runs = SEEDS.map(|seed| scope.spawn(move || trace(seed)));
        runs.map(|run| run.join().unwrap())
    });
    for ((seed, first), second) in SEEDS.iter().zip(&alone).zip(&beside_others) {
        let differs = first.lines().zip(second.lines()).find(|(left, right)| left != right);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
        assert!(first.lines().count() > 500, "seed {seed}");
    }
    assert_ne!(alone[0], alone[1]);
}

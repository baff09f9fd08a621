//! The same case is the same run, byte for byte; and another seed is another one.

use simulation::{Case, run, template};

/// Seeds with many faults: crashes, repeats, a consumer or relay that is down for hours.
const SEEDS: [u64; 3] = [1, 8, 12];

#[test]
fn the_same_seed_gives_the_same_trace() {
    let template = template().unwrap();
    let mut traces = Vec::new();
    for seed in SEEDS {
        let case = Case::of_seed(seed);
        let trace = || run(&case, &template, true).unwrap().trace.unwrap();
        let (first, second) = (trace(), trace());
        let differs = first.lines().zip(second.lines()).find(|(left, right)| left != right);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
        assert!(first.lines().count() > 500, "seed {seed}");
        traces.push(first);
    }
    assert_ne!(traces[0], traces[1]);
}

//! The inputs that fuzzing began with and those that it found, through the same functions: a finding that was mended
//! stays mended.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;

/// What is fuzzed: takes any bytes, and panics when a property does not hold.
type Target = fn(&[u8]);

/// Every target by the name of its folder.
const TARGETS: [(&str, Target); 7] = [
    ("event_headers", targets::event_headers),
    ("frames", targets::frames),
    ("headers", targets::headers),
    ("internal_token", targets::internal_token),
    ("json", targets::json),
    ("page_token", targets::page_token),
    ("resume_token", targets::resume_token),
];

/// Names in a folder of `fuzz/`, without their ends.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(testkit::workspace_root().join("fuzz").join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_input_of_the_corpus_is_borne_by_its_target() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), known, "a folder of inputs for every target");
    assert_eq!(names("targets"), known, "and a program");
    for (name, target) in TARGETS {
        for entry in fs::read_dir(testkit::workspace_root().join("fuzz/corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            let borne = std::panic::catch_unwind(|| target(&input));
            assert!(borne.is_ok(), "{}", path.display());
            // The same bytes as changes to what is good.
            assert!(std::panic::catch_unwind(|| target(&[&[0], &input[..]].concat())).is_ok(), "{}", path.display());
        }
    }
}

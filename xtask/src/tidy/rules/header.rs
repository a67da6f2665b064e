//! Every Rust file says first what lives in it: its first line is a `//!` sentence.

use crate::tidy::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, _) in house.rust() {
        let first = file.text.lines().next().unwrap_or_default();
        let sentence = first.strip_prefix("//!").unwrap_or_default().trim();
        if sentence.len() < 10 {
            let message = "the first line must be a `//!` sentence that says what lives here".to_owned();
            findings.push(Finding { path: file.path.clone(), line: 1, rule: "header", message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn a_file_begins_with_a_sentence() {
        let house = House::of(&[
            ("crates/a/src/good.rs", "//! Ids of everything.\nfn a() {}\n"),
            ("crates/a/src/bad.rs", "use x;\n//! Late.\n"),
            ("crates/a/src/bare.rs", "//!\n"),
            ("a.md", "text"),
        ]);
        assert_eq!(fired(check, &house), ["crates/a/src/bad.rs:1", "crates/a/src/bare.rs:1"]);
    }
}

//! Tests do not sleep: they poll with `testkit::assert_eventually`, which ends as soon as the thing has happened.

use crate::tidy::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust() {
        for (index, line) in source.lines.iter().enumerate() {
            if line.contains("sleep(") && (file.is_test() || source.is_test_line(index + 1)) {
                let message = "a test must not sleep: use testkit::assert_eventually".to_owned();
                findings.push(Finding { path: file.path.clone(), line: index + 1, rule: "sleep", message });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn only_tests_are_meant() {
        let house = House::of(&[
            ("crates/a/tests/it/main.rs", "tokio::time::sleep(x).await; // sleep(1)\n"),
            (
                "crates/a/src/lib.rs",
                "fn wait() { sleep(x) }\n#[cfg(test)]\nmod tests {\n fn t() { std::thread::sleep(x) }\n}\n",
            ),
        ]);
        assert_eq!(fired(check, &house), ["crates/a/src/lib.rs:4", "crates/a/tests/it/main.rs:1"]);
    }
}

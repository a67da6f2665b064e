//! Tests do not sleep: they poll with `testkit::assert_eventually`, which ends as soon as the thing has happened.
//! And no test is switched off: one that may not fail is none.

use crate::tidy::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust() {
        for (index, line) in source.lines.iter().enumerate() {
            let mut find = |rule: &'static str, message: &str| {
                findings.push(Finding { path: file.path.clone(), line: index + 1, rule, message: message.to_owned() });
            };
            if line.contains("sleep(") && (file.is_test() || source.is_test_line(index + 1)) {
                find("sleep", "a test must not sleep: use testkit::assert_eventually");
            }
            if line.contains("#[ignore") {
                find("ignored", "a test must not be switched off");
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
    fn tests_neither_sleep_nor_rest() {
        let house = House::of(&[
            ("crates/a/tests/it/main.rs", "tokio::time::sleep(x).await; // sleep(1)\n"),
            (
                "crates/a/src/lib.rs",
                "fn wait() { sleep(x) }\n#[cfg(test)]\nmod tests {\n fn t() { std::thread::sleep(x) }\n}\n",
            ),
            ("crates/a/tests/it/off.rs", "#[test]\n#[ignore = \"slow\"]\nfn t() {}\n"),
        ]);
        assert_eq!(
            fired(check, &house),
            ["crates/a/src/lib.rs:4", "crates/a/tests/it/main.rs:1", "crates/a/tests/it/off.rs:2"]
        );
    }
}

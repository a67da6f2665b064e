//! `domain/` is pure: no async, no database, no transport, no logging, no clock, no randomness, no I/O.

use crate::tidy::Finding;
use crate::tidy::house::House;

/// Words that have no place in a pure rule.
const IMPURE: [&str; 17] = [
    "async",
    "await",
    "sqlx",
    "tonic",
    "prost",
    "tokio",
    "tracing",
    "async_nats",
    "axum",
    "rand",
    "getrandom",
    "SystemTime",
    "Instant",
    "Clock",
    "now_v7",
    "new_v4",
    "store",
];
/// Parts of the standard library that reach outside.
const IMPURE_STD: [&str; 5] = ["fs", "net", "env", "thread", "process"];

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust() {
        if !file.in_service().is_some_and(|(_, rest)| rest.starts_with("src/domain/") || rest == "src/domain.rs") {
            continue;
        }
        let mut find = |line: usize, what: &str| {
            let message = format!("domain must be pure, without {what}");
            findings.push(Finding { path: file.path.clone(), line, rule: "domain", message });
        };
        for (line, word) in source.words() {
            if IMPURE.contains(&word)
                && !source.is_test_line(line)
                && !is_value_named_store(&source.lines[line - 1], word)
            {
                find(line, word);
            }
        }
        for (index, text) in source.lines.iter().enumerate() {
            if source.is_test_line(index + 1) {
                continue;
            }
            if text.contains("::now(") {
                find(index + 1, "reading the time");
            }
            if let Some(part) = IMPURE_STD.iter().find(|part| text.contains(&format!("std::{part}"))) {
                find(index + 1, &format!("std::{part}"));
            }
        }
    }
}

/// `store` is meant as the crate; a shop's store as a value or field is not.
fn is_value_named_store(line: &str, word: &str) -> bool {
    word == "store" && !line.contains("store::")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn each_kind_of_impurity_is_found() {
        for code in [
            "async fn a() {}",
            "use sqlx::x;",
            "use tonic::Status;",
            "use tokio::time;",
            "tracing::info!();",
            "let t = SystemTime::now();",
            "let t = jiff::Timestamp::now();",
            "use std::fs;",
            "let id = Uuid::now_v7();",
            "fn a(clock: &kernel::Clock) {}",
            "use rand::x;",
            "use store::Row;",
            "use prost::Message;",
        ] {
            let house = House::of(&[("services/loyalty/src/domain/tier.rs", code)]);
            assert!(!fired(check, &house).is_empty(), "{code}");
        }
    }

    #[test]
    fn pure_code_tests_and_other_rooms_are_left_alone() {
        let house = House::of(&[
            (
                "services/loyalty/src/domain/tier.rs",
                "//! No tokio here.\nfn decide(now_us: i64, store: u8) -> &'static str { \"async\" }\n#[cfg(test)]\nmod tests {\n use rand::x;\n}\n",
            ),
            ("services/loyalty/src/grpc.rs", "async fn a() {}"),
        ]);
        assert_eq!(fired(check, &house), [""; 0]);
    }
}

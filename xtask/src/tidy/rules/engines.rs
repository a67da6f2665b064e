//! Engines are named in one place each: `sqlx` in store, commit and the services' `store/`; `async_nats` in events.
//! A crate's tests may name sqlx for the small service they are made with.
//! Tests of the whole (`tests/`, testkit), the fault harness and benches may speak to both, to look from outside.

use crate::tidy::Finding;
use crate::tidy::house::{File, House};

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust() {
        for (line, word) in source.words() {
            let allowed = match word {
                "sqlx" => may_name_sqlx(file),
                "async_nats" => may_name_nats(file),
                _ => true,
            };
            if !allowed {
                let message = format!("{word} must not be named here");
                findings.push(Finding { path: file.path.clone(), line, rule: "engines", message });
            }
        }
    }
}

fn from_outside(file: &File) -> bool {
    ["bench/", "faults/", "tests/", "crates/testkit/", "xtask/"].iter().any(|folder| file.path.starts_with(folder))
}

fn may_name_sqlx(file: &File) -> bool {
    let store_room =
        file.in_service().is_some_and(|(_, rest)| rest.starts_with("src/store/") || rest == "src/store.rs");
    from_outside(file)
        || store_room
        || (file.path.starts_with("crates/") && file.is_test())
        || ["crates/store/", "crates/commit/"].iter().any(|folder| file.path.starts_with(folder))
}

fn may_name_nats(file: &File) -> bool {
    from_outside(file) || file.path.starts_with("crates/events/")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn each_engine_has_its_place() {
        let house = House::of(&[
            ("services/loyalty/src/grpc.rs", "use sqlx::x;"),
            ("services/loyalty/src/store/rows.rs", "use sqlx::x;"),
            ("services/loyalty/tests/it/main.rs", "use sqlx::x;"),
            ("crates/server/src/a.rs", "use async_nats::x; // sqlx"),
            ("crates/events/src/a.rs", "use async_nats::x;"),
            ("crates/events/src/b.rs", "use sqlx::x;"),
            ("crates/events/tests/it/shop.rs", "use sqlx::x;"),
            ("tests/it/main.rs", "use {async_nats::x, sqlx::y};"),
        ]);
        assert_eq!(
            fired(check, &house),
            [
                "crates/events/src/b.rs:1",
                "crates/server/src/a.rs:1",
                "services/loyalty/src/grpc.rs:1",
                "services/loyalty/tests/it/main.rs:1"
            ]
        );
    }
}

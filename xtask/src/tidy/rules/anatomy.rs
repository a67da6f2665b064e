//! Every service has the same rooms under the same names. A room that would be empty is left out, never renamed.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::house::House;

/// What every service must have.
const REQUIRED: [&str; 8] = [
    "Cargo.toml",
    "README.md",
    "src/lib.rs",
    "src/main.rs",
    "src/config.rs",
    "src/error.rs",
    "src/grpc",
    "tests/it/main.rs",
];
/// What a service may have in its folder.
const ROOMS: [&str; 5] = ["Cargo.toml", "README.md", "migrations", "src", "tests"];
/// What a service may have in `src`: files, or folders of the same name.
const SOURCE_ROOMS: [&str; 9] = ["lib", "main", "config", "domain", "store", "events", "grpc", "error", "timers"];
/// A service with tables also has these.
const WITH_TABLES: [&str; 5] =
    ["src/domain", "src/store/sql", "src/events", "migrations/postgres", "migrations/sqlite"];
/// The gateway and the suite have no domain; their rooms are their own, but they too explain and test themselves.
const WITHOUT_DOMAIN: [&str; 2] = ["gateway", "suite"];
const WITHOUT_DOMAIN_REQUIRED: [&str; 4] = ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs"];

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for service in house.services() {
        let inside: BTreeSet<&str> = house
            .files
            .iter()
            .filter_map(|file| file.in_service())
            .filter(|(name, _)| *name == service)
            .map(|(_, rest)| rest)
            .collect();
        let special = WITHOUT_DOMAIN.contains(&service);
        let required: Vec<&str> = if special {
            WITHOUT_DOMAIN_REQUIRED.into()
        } else {
            REQUIRED.iter().chain(&WITH_TABLES).copied().collect()
        };
        let mut find = |path: &str, message: &str| {
            findings.push(Finding {
                path: format!("services/{service}/{path}"),
                line: 0,
                rule: "anatomy",
                message: message.to_owned(),
            });
        };
        for room in required.iter().filter(|room| !has(&inside, room)) {
            find(room, "every service has this");
        }
        if special {
            continue;
        }
        for path in &inside {
            let first = path.split('/').next().unwrap_or(path);
            let known = ROOMS.contains(&first)
                && path
                    .strip_prefix("src/")
                    .is_none_or(|rest| SOURCE_ROOMS.contains(&rest.split(['/', '.']).next().unwrap_or(rest)));
            if !known {
                find(path, "no service has such a room");
            }
        }
    }
}

/// The file itself, the module of that name, or something in the folder of that name.
fn has(inside: &BTreeSet<&str>, room: &str) -> bool {
    let module = format!("{room}.rs");
    let folder = format!("{room}/");
    inside.iter().any(|path| *path == room || *path == module || path.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    const GOOD: [&str; 15] = [
        "services/a/Cargo.toml",
        "services/a/README.md",
        "services/a/src/lib.rs",
        "services/a/src/main.rs",
        "services/a/src/config.rs",
        "services/a/src/error.rs",
        "services/a/src/grpc/mod.rs",
        "services/a/src/grpc/convert.rs",
        "services/a/src/domain/tier.rs",
        "services/a/src/store/sql.rs",
        "services/a/src/store/rows.rs",
        "services/a/src/events.rs",
        "services/a/migrations/postgres/0001_a.sql",
        "services/a/migrations/sqlite/0001_a.sql",
        "services/a/tests/it/main.rs",
    ];

    fn house(paths: &[&str]) -> House {
        House::of(&paths.iter().map(|path| (*path, "")).collect::<Vec<_>>())
    }

    #[test]
    fn the_full_anatomy_is_fine() {
        assert_eq!(fired(check, &house(&GOOD)), [""; 0]);
    }

    #[test]
    fn a_missing_and_a_renamed_room_are_found() {
        let mut paths: Vec<&str> = GOOD.into_iter().filter(|path| !path.ends_with("error.rs")).collect();
        paths.extend(["services/a/src/errors.rs", "services/a/sql/x.sql"]);
        assert_eq!(
            fired(check, &house(&paths)),
            ["services/a/sql/x.sql:0", "services/a/src/error.rs:0", "services/a/src/errors.rs:0"]
        );
    }

    #[test]
    fn the_gateway_needs_no_tables() {
        let paths = ["Cargo.toml", "README.md", "src/lib.rs", "src/main.rs", "src/transcode/mod.rs"]
            .map(|path| format!("services/gateway/{path}"));
        assert_eq!(fired(check, &house(&paths.iter().map(String::as_str).collect::<Vec<_>>())), [""; 0]);
    }
}

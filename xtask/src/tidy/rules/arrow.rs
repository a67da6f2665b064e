//! The dependency arrow: `{kernel, calendar, vault} <- {proto, store} <- commit <- events <- server <- services <- suite, {tests, bench, faults}`.
//! A service never depends on a service; testkit and stage are for tests only; xtask depends on nothing of ours.

use crate::tidy::Finding;
use crate::tidy::house::{House, Package};

/// Where a package stands. It may depend on what stands strictly lower.
fn rank(package: &Package) -> Option<u32> {
    let folder = package.manifest_path.trim_end_matches("/Cargo.toml");
    Some(match folder {
        "crates/kernel" | "crates/calendar" | "crates/vault" => 0,
        "crates/proto" | "crates/store" => 1,
        "crates/commit" => 2,
        "crates/events" => 3,
        "crates/server" => 4,
        "crates/client" | "crates/stage" => 5,
        "services/suite" => 7,
        "bench" | "faults" | "tests" => 8,
        _ if folder.starts_with("services/") => 6,
        _ => return None,
    })
}

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for package in &house.packages {
        for dependency in &package.dependencies {
            let Some(other) = house.packages.iter().find(|other| other.name == dependency.name) else { continue };
            if let Some(message) = broken(package, other, dependency.kind.as_deref()) {
                findings.push(Finding { path: package.manifest_path.clone(), line: 0, rule: "arrow", message });
            }
        }
    }
}

fn broken(package: &Package, other: &Package, kind: Option<&str>) -> Option<String> {
    let dev = kind == Some("dev");
    match (package.manifest_path.as_str(), other.manifest_path.as_str()) {
        ("xtask/Cargo.toml", _) | (_, "xtask/Cargo.toml") => {
            Some(format!("{} and {}: xtask stands alone", package.name, other.name))
        }
        (_, "crates/testkit/Cargo.toml")
            if dev
                || ["bench/Cargo.toml", "crates/stage/Cargo.toml", "faults/Cargo.toml", "tests/Cargo.toml"]
                    .contains(&package.manifest_path.as_str()) =>
        {
            None
        }
        (_, "crates/stage/Cargo.toml") if !dev => Some("stage may be a dev-dependency only".to_owned()),
        (_, "crates/testkit/Cargo.toml") => Some("testkit may be a dev-dependency only".to_owned()),
        ("crates/testkit/Cargo.toml", "crates/kernel/Cargo.toml") => None,
        ("crates/client/Cargo.toml", "crates/kernel/Cargo.toml" | "crates/proto/Cargo.toml") => None,
        ("crates/client/Cargo.toml", _) if !dev => {
            Some(format!("client, for users, may depend on kernel and proto only, not on {}", other.name))
        }
        _ => match (rank(package), rank(other)) {
            (Some(6), Some(6)) => Some(format!("a service never depends on a service: {}", other.name)),
            (Some(mine), Some(theirs)) if theirs < mine => None,
            _ => Some(format!("{} must not depend on {}", package.name, other.name)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    fn findings(package: (&str, &str, &[&str], &[&str])) -> usize {
        let mut house = House::of_packages(&[
            ("kernel", "crates/kernel", &[], &[]),
            ("proto", "crates/proto", &[], &[]),
            ("store", "crates/store", &[], &[]),
            ("commit", "crates/commit", &[], &[]),
            ("server", "crates/server", &[], &[]),
            ("testkit", "crates/testkit", &[], &[]),
            ("stage", "crates/stage", &[], &[]),
            ("loyalty", "services/loyalty", &[], &[]),
            ("suite", "services/suite", &[], &[]),
        ]);
        house.packages.retain(|known| known.name != package.0);
        house.packages.extend(House::of_packages(&[package]).packages);
        fired(check, &house).len()
    }

    #[test]
    fn a_lower_crate_is_fine_and_a_higher_one_is_not() {
        assert_eq!(findings(("commit", "crates/commit", &["kernel", "store"], &["testkit"])), 0);
        assert_eq!(findings(("store", "crates/store", &["commit"], &[])), 1);
        assert_eq!(findings(("store", "crates/store", &["proto"], &[])), 1);
        assert_eq!(findings(("server", "crates/server", &["loyalty"], &[])), 1);
    }

    #[test]
    fn services_do_not_meet() {
        assert_eq!(findings(("ticketing", "services/ticketing", &["server", "commit"], &[])), 0);
        assert_eq!(findings(("ticketing", "services/ticketing", &["loyalty"], &[])), 1);
        assert_eq!(findings(("ticketing", "services/ticketing", &[], &["loyalty"])), 1);
        assert_eq!(findings(("ticketing", "services/ticketing", &["suite"], &[])), 1);
        assert_eq!(findings(("suite", "services/suite", &["loyalty"], &[])), 0);
        assert_eq!(findings(("tests", "tests", &["suite", "testkit"], &[])), 0);
    }

    #[test]
    fn testkit_client_and_xtask_have_their_own_rules() {
        assert_eq!(findings(("server", "crates/server", &["testkit"], &[])), 1);
        assert_eq!(findings(("stage", "crates/stage", &["server", "testkit"], &[])), 0);
        assert_eq!(findings(("loyalty", "services/loyalty", &[], &["stage"])), 0);
        assert_eq!(findings(("loyalty", "services/loyalty", &["stage"], &[])), 1);
        assert_eq!(findings(("server", "crates/server", &[], &["stage"])), 1);
        assert_eq!(findings(("client", "crates/client", &["proto", "kernel"], &[])), 0);
        assert_eq!(findings(("client", "crates/client", &["server"], &[])), 1);
        assert_eq!(findings(("xtask", "xtask", &["proto"], &[])), 1);
    }
}

//! Names that say nothing are forbidden for files, folders, modules and types.

use crate::tidy::Finding;
use crate::tidy::house::House;
use crate::tidy::source::words;

/// For files, folders and modules.
const EMPTY_NAMES: [&str; 9] = ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "stuff"];
/// For types.
const EMPTY_ENDINGS: [&str; 5] = ["Impl", "Manager", "Helper", "Utils", "Util"];

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for file in &house.files {
        let stem = |part: &str| part.split('.').next().unwrap_or(part).to_owned();
        if let Some(part) = file.path.split('/').map(stem).find(|part| EMPTY_NAMES.contains(&part.as_str())) {
            let message = format!("{part} says nothing about what lives there");
            findings.push(Finding { path: file.path.clone(), line: 0, rule: "names", message });
        }
    }
    for (file, source) in house.rust() {
        for (index, line) in source.lines.iter().enumerate() {
            let all: Vec<&str> = words(line).collect();
            for pair in all.windows(2) {
                let empty = match pair[0] {
                    "mod" | "crate" => EMPTY_NAMES.contains(&pair[1]),
                    "struct" | "enum" | "trait" | "type" => {
                        EMPTY_ENDINGS.iter().any(|ending| pair[1].ends_with(ending))
                    }
                    _ => false,
                };
                if empty {
                    let message = format!("{} says nothing", pair[1]);
                    findings.push(Finding { path: file.path.clone(), line: index + 1, rule: "names", message });
                }
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
    fn empty_names_are_found() {
        let house = House::of(&[
            ("crates/a/src/utils.rs", ""),
            ("crates/a/common/x.sql", ""),
            (
                "crates/a/src/b.rs",
                "mod helpers {}\nstruct StoreImpl;\nuse tokio_util::x;\nfn common() {}\nimpl Manager for X {}\ntrait ShopManager {}\n",
            ),
        ]);
        assert_eq!(
            fired(check, &house),
            [
                "crates/a/common/x.sql:0",
                "crates/a/src/b.rs:1",
                "crates/a/src/b.rs:2",
                "crates/a/src/b.rs:6",
                "crates/a/src/utils.rs:0"
            ]
        );
    }
}

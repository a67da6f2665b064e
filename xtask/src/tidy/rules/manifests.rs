//! Every package takes the lints of the workspace, and every dependency comes from the registry.

use crate::tidy::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for file in house.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let inherits = toml::from_str::<toml::Table>(&file.text).is_ok_and(|manifest| {
            let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
            lints.and_then(toml::Value::as_bool).unwrap_or(false)
        });
        if !inherits {
            let message = "needs [lints] workspace = true".to_owned();
            findings.push(Finding { path: file.path.clone(), line: 0, rule: "lints", message });
        }
    }
    for (index, line) in house.file("Cargo.lock").into_iter().flat_map(|file| file.text.lines().enumerate()) {
        if line.starts_with("source = \"git+") {
            let message = "a dependency from git: take a published version".to_owned();
            findings.push(Finding { path: "Cargo.lock".to_owned(), line: index + 1, rule: "lock", message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn lints_and_sources_are_checked() {
        let house = House::of(&[
            ("Cargo.toml", "[workspace]\n"),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"),
            ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("Cargo.lock", "[[package]]\nsource = \"git+https://x\"\n[[package]]\nsource = \"registry+x\"\n"),
        ]);
        assert_eq!(fired(check, &house), ["Cargo.lock:2", "crates/b/Cargo.toml:0"]);
    }
}

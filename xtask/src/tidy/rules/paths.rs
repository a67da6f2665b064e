//! No file names a folder of someone's machine.

use crate::tidy::Finding;
use crate::tidy::house::House;

/// This rule itself must write them.
const SELF: &str = "xtask/src/tidy/rules/paths.rs";
const MACHINE: [&str; 5] = ["/work/", "/root/", "/home/", "/Users/", "C:\\"];

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for file in house.files.iter().filter(|file| file.path != SELF) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(path) = MACHINE.iter().find(|path| starts_a_path(line, path)) {
                let message = format!("a path of a machine: {path}");
                findings.push(Finding { path: file.path.clone(), line: index + 1, rule: "paths", message });
            }
        }
    }
}

/// Whether `path` stands in the line as a beginning: `target/work/` is no path of a machine.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || "_-.}/*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn machine_paths_are_found() {
        let house = House::of(&[(
            "a.md",
            "see /work/x\nsee target/work/x\ncp /root/.cargo x\n\"/home/ann/x\"\nhttps://x/home/y\n",
        )]);
        assert_eq!(fired(check, &house), ["a.md:1", "a.md:3", "a.md:4"]);
    }
}

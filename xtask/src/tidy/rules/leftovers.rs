//! Nothing unfinished is committed: no to-do notes, no placeholder macros, no debug prints; and no unsafe code.

use crate::tidy::Finding;
use crate::tidy::house::House;
use crate::tidy::source::words;

const NOTES: [&str; 2] = ["TODO", "FIXME"];
const MACROS: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];
/// This rule itself must write the words.
const SELF: &str = "xtask/src/tidy/rules/leftovers.rs";
const TEXTS: [&str; 12] = ["rs", "toml", "sql", "proto", "py", "yml", "yaml", "sh", "md", "html", "css", "js"];

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    let is_text =
        |path: &str| path.rsplit_once('.').is_some_and(|(_, end)| TEXTS.contains(&end)) || path.contains("Dockerfile");
    for file in house.files.iter().filter(|file| file.path != SELF && is_text(&file.path)) {
        let mut find = |line: usize, message: String| {
            findings.push(Finding { path: file.path.clone(), line, rule: "leftovers", message })
        };
        for (index, line) in file.text.lines().enumerate() {
            if let Some(note) = words(line).find(|word| NOTES.contains(word)) {
                find(index + 1, format!("{note}: finish it or file it"));
            }
        }
        for (index, line) in file.rust.iter().flat_map(|source| source.lines.iter().enumerate()) {
            if let Some(name) = MACROS.iter().find(|name| line.contains(*name)) {
                find(index + 1, format!("{name} must not be committed"));
            }
            if words(line).any(|word| word == "unsafe") {
                find(index + 1, "unsafe code is forbidden".to_owned());
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
    fn notes_macros_and_unsafe_are_found() {
        let house = House::of(&[
            (
                "a.rs",
                "// TODO later\nlet a = dbg!(x);\ntodo!();\nlet s = \"unsafe dbg!\";\nunsafe { y() }\n// not unsafe, and todo in small letters\n",
            ),
            ("m.sql", "-- FIXME\n"),
            ("Cargo.toml", "unsafe_code = \"forbid\"\n"),
            ("data.csv", "TODO\n"),
        ]);
        assert_eq!(fired(check, &house), ["a.rs:1", "a.rs:2", "a.rs:3", "a.rs:5", "m.sql:1"]);
    }
}

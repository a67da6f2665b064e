//! The pages that promise something name the test that shows it, and the test is there.

use std::collections::HashSet;

use crate::tidy::Finding;
use crate::tidy::house::House;

/// The pages.
const PAGES: [&str; 2] = ["docs/reliability.md", "docs/security.md"];
/// A name with so many underscores is a sentence, and so a test; others are functions, fields or settings.
const LEAST_UNDERSCORES: usize = 3;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    let known: HashSet<String> =
        house.rust().flat_map(|(_, source)| source.functions()).map(|function| function.name).collect();
    for page in PAGES.iter().filter_map(|page| house.file(page)) {
        for (index, line) in page.text.lines().enumerate() {
            for name in line.split('`').skip(1).step_by(2).filter(|name| is_test_name(name) && !known.contains(*name)) {
                let message = format!("there is no test {name}");
                findings.push(Finding { path: page.path.clone(), line: index + 1, rule: "proofs", message });
            }
        }
    }
}

fn is_test_name(text: &str) -> bool {
    text.matches('_').count() >= LEAST_UNDERSCORES
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn a_test_that_is_named_must_be_there() {
        let house = House::of(&[
            ("crates/a/tests/it/main.rs", "#[test]\nfn nothing_is_ever_lost() {\n}\n"),
            (
                "docs/security.md",
                "| loss | `nothing_is_ever_lost` |\n| theft | `nothing_is_ever_stolen`, `max_len`, `A_B_C_D` |\n",
            ),
            ("docs/other.md", "`no_such_test_here`\n"),
        ]);
        assert_eq!(fired(check, &house), ["docs/security.md:2"]);
    }
}

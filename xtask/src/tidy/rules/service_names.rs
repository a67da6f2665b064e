//! The crates are mechanism: no service is named in their code. (`crates/proto` is the contract of all, `crates/client` speaks it.)

use crate::tidy::Finding;
use crate::tidy::house::House;
use crate::tidy::source::words;

const MECHANISM: [&str; 5] =
    ["crates/kernel/src/", "crates/store/src/", "crates/commit/src/", "crates/events/src/", "crates/server/src/"];
/// Not service folders, but never mechanism either: the suite is only the sum of them.
const NOT_NAMES: [&str; 1] = ["suite"];

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    let mut names: Vec<String> = house
        .services()
        .into_iter()
        .filter(|name| !NOT_NAMES.contains(name))
        .map(|name| name.replace('-', "_"))
        .collect();
    // The proto package and event prefix of customer-profile.
    if names.iter().any(|name| name == "customer_profile") {
        names.push("karibu_profile".to_owned());
    }
    for (file, source) in house.rust() {
        if file.is_test() || !MECHANISM.iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        let code = source.words().map(|(line, word)| (line, word.to_owned()));
        let strings = source.literals.iter().flat_map(|literal| {
            let text = literal.text.replace('-', "_").replace("karibu.profile", "karibu_profile");
            words(&text).map(|word| (literal.line, word.to_owned())).collect::<Vec<_>>()
        });
        for (line, word) in code.chain(strings) {
            if names.contains(&word) && !source.is_test_line(line) {
                let message = format!("a crate must not name a service: {word}");
                findings.push(Finding { path: file.path.clone(), line, rule: "service-names", message });
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
    fn code_and_strings_are_searched_but_not_comments_and_tests() {
        let house = House::of(&[
            ("services/ticketing/src/lib.rs", ""),
            ("services/customer-profile/src/lib.rs", ""),
            ("crates/server/src/a.rs", "use ticketing::x;\n// ticketing\nconst A: &str = \"to ticketing\";\n"),
            (
                "crates/events/src/b.rs",
                "const A: &str = \"karibu.profile.v1\";\nfn profile() {}\n#[cfg(test)]\nmod tests {\n  const T: &str = \"ticketing\";\n}\n",
            ),
            ("crates/commit/src/c.rs", "const A: &str = \"customer-profile\";"),
            ("crates/client/src/lib.rs", "use ticketing::x;"),
            ("crates/server/tests/it/main.rs", "const T: &str = \"ticketing\";"),
        ]);
        assert_eq!(
            fired(check, &house),
            [
                "crates/commit/src/c.rs:1",
                "crates/events/src/b.rs:1",
                "crates/server/src/a.rs:1",
                "crates/server/src/a.rs:3"
            ]
        );
    }
}

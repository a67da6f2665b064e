//! Every dependency has a licence that `deny.toml` takes, so that a new one is seen before it is merged. Advisories and
//! bans are for `cargo deny`, which needs a database from outside.

use crate::tidy::Finding;
use crate::tidy::house::{House, Licensed};

const LIST: &str = "deny.toml";

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    let Some(list) = house.file(LIST) else { return };
    let taken = taken(&list.text);
    for Licensed { name, license } in &house.licences {
        let fits = license.as_deref().is_some_and(|license| is_taken(license, &taken));
        if !fits {
            let license = license.as_deref().unwrap_or("no licence");
            let message = format!("{name} is under {license}, which is not in the list");
            findings.push(Finding { path: LIST.to_owned(), line: 0, rule: "licences", message });
        }
    }
}

fn taken(deny: &str) -> Vec<String> {
    let table = toml::from_str::<toml::Table>(deny).unwrap_or_default();
    let allow = table.get("licenses").and_then(|licenses| licenses.get("allow")).and_then(toml::Value::as_array);
    allow.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Whether an SPDX expression can be met by what is taken. `/` is the old way to write OR.
fn is_taken(expression: &str, taken: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any_of(&words, &mut at, taken) && at == words.len()
}

/// `a OR b`: AND binds tighter.
fn any_of(words: &[&str], at: &mut usize, taken: &[String]) -> bool {
    let mut fits = all_of(words, at, taken);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        fits |= all_of(words, at, taken);
    }
    fits
}

fn all_of(words: &[&str], at: &mut usize, taken: &[String]) -> bool {
    let mut fits = one(words, at, taken);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        fits &= one(words, at, taken);
    }
    fits
}

/// A licence, perhaps with an exception, or an expression in brackets.
fn one(words: &[&str], at: &mut usize, taken: &[String]) -> bool {
    let Some(first) = words.get(*at) else { return false };
    *at += 1;
    if *first == "(" {
        let fits = any_of(words, at, taken);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return fits && closed;
    }
    let mut name = (*first).to_owned();
    if let [with @ "WITH", exception, ..] = words.get(*at..).unwrap_or_default() {
        name = format!("{name} {with} {exception}");
        *at += 2;
    }
    taken.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::{check, is_taken};
    use crate::tidy::house::{House, Licensed};
    use crate::tidy::rules::fired;

    #[test]
    fn expressions_are_met_or_not() {
        let taken = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"].map(str::to_owned);
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "Apache-2.0 AND ISC",
            "(MIT OR GPL-3.0) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-3.0 OR Apache-2.0 AND MIT",
        ] {
            assert!(is_taken(good, &taken), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR MPL-2.0) AND MIT", "MIT WITH x", "", "MIT MIT", "(MIT"] {
            assert!(!is_taken(bad, &taken), "{bad}");
        }
    }

    #[test]
    fn a_licence_that_is_not_listed_and_one_that_is_missing_are_found() {
        let mut house = House::of(&[("deny.toml", "[licenses]\nallow = [\"MIT\"]\n")]);
        let package =
            |name: &str, license: Option<&str>| Licensed { name: name.to_owned(), license: license.map(str::to_owned) };
        house.licences = vec![package("a", Some("MIT")), package("b", Some("GPL-3.0")), package("c", None)];
        assert_eq!(fired(check, &house), ["deny.toml:0", "deny.toml:0"]);
    }
}

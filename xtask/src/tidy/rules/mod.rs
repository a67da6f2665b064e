//! The rules, one file each, and the exceptions applied to what they find.

mod anatomy;
mod arrow;
mod bound_values;
mod domain;
mod engines;
mod header;
mod leftovers;
mod licences;
mod manifests;
mod migrations;
mod names;
mod paths;
mod proofs;
mod service_names;
mod size;
mod sql_text;
mod subjects;
mod test_habits;

use super::Finding;
use super::house::House;

type Rule = fn(&House, &mut Vec<Finding>);

const RULES: [Rule; 18] = [
    anatomy::check,
    arrow::check,
    bound_values::check,
    domain::check,
    engines::check,
    header::check,
    leftovers::check,
    licences::check,
    manifests::check,
    migrations::check,
    names::check,
    paths::check,
    proofs::check,
    service_names::check,
    size::check,
    sql_text::check,
    subjects::check,
    test_habits::check,
];

/// Every finding that no exception covers, and every exception that covers nothing.
pub(crate) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        rule(house, &mut findings);
    }
    let allowed = &house.allowances.allow;
    let covers = |finding: &Finding| {
        allowed.iter().position(|allowance| allowance.rule == finding.rule && allowance.path == finding.path)
    };
    let used: Vec<usize> = findings.iter().filter_map(covers).collect();
    findings.retain(|finding| covers(finding).is_none());
    for (index, allowance) in allowed.iter().enumerate() {
        if !used.contains(&index) {
            let message =
                format!("the exception of {} for {} covers nothing: remove it", allowance.rule, allowance.path);
            findings.push(Finding { path: "xtask/tidy.toml".to_owned(), line: 0, rule: "exceptions", message });
        }
    }
    findings
}

/// Runs one rule over a house made for a test: `path:line` of each finding.
#[cfg(test)]
fn fired(rule: Rule, house: &House) -> Vec<String> {
    let mut findings = Vec::new();
    rule(house, &mut findings);
    findings.sort();
    findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::allow::{Allowance, Allowances};
    use crate::tidy::house::House;

    #[test]
    fn an_exception_covers_its_rule_and_path_only_and_must_be_needed() {
        let mut house = House::of(&[("xtask/src/a.rs", "fn a() {}\n"), ("xtask/src/b.rs", "fn b() {}\n")]);
        let allow = |path: &str| Allowance {
            rule: "header".to_owned(),
            path: path.to_owned(),
            reason: "for the test".to_owned(),
        };
        house.allowances = Allowances { allow: vec![allow("xtask/src/a.rs"), allow("xtask/src/gone.rs")] };
        let found: Vec<(String, &str)> =
            check(&house).into_iter().map(|finding| (finding.path, finding.rule)).collect();
        assert_eq!(found, [("xtask/src/b.rs".to_owned(), "header"), ("xtask/tidy.toml".to_owned(), "exceptions")]);
    }

    #[test]
    fn an_exception_needs_a_reason() {
        assert!(Allowances::parse("[[allow]]\nrule = \"size\"\npath = \"x\"\nreason = \"\"").is_err());
        assert!(Allowances::parse("[[allow]]\nrule = \"size\"\npath = \"x\"\nreason = \"a table of codes\"").is_ok());
    }
}

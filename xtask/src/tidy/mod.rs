//! `cargo xtask tidy`: the rules of the house that a compiler does not know. Each rule is a file in `rules/` with tests
//! that show it firing and keeping quiet. Exceptions stand, with their reason, in `xtask/tidy.toml`.

mod allow;
mod house;
mod rules;
mod source;

use std::path::Path;

use crate::report::say;
use house::House;

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// 0 when it is about the whole file.
    line: usize,
    rule: &'static str,
    message: String,
}

/// Checks every rule over the workspace; an error if anything was found.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let house = House::load(root)?;
    let mut findings = rules::check(&house);
    findings.sort();
    for finding in &findings {
        say(&format!("{}:{}: {}: {}", finding.path, finding.line, finding.rule, finding.message));
    }
    say(&format!("{} findings in {} files", findings.len(), house.files.len()));
    if findings.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("the house is not tidy")) }
}

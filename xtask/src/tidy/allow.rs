//! The exceptions of `xtask/tidy.toml`. Each names a rule, a path and a reason; one that is no longer needed is a finding.

use anyhow::bail;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowances {
    #[serde(default)]
    pub(crate) allow: Vec<Allowance>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allowance {
    pub(crate) rule: String,
    pub(crate) path: String,
    pub(crate) reason: String,
}

impl Allowances {
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let parsed: Self = toml::from_str(text)?;
        if let Some(bare) = parsed.allow.iter().find(|allowance| allowance.reason.trim().len() < 10) {
            bail!("xtask/tidy.toml: the exception of {} for {} needs a reason", bare.rule, bare.path);
        }
        Ok(parsed)
    }
}

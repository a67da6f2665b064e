//! What caused a change: who, from where, by which act. It stands beside every event in the log, so that the log is
//! the audit trail of all changes without a row of its own for each. Reading the trail back stands in `audit.rs`.

use std::fmt;
use std::sync::Arc;

use crate::door::{Job, Once};
use crate::verb::Service;

/// Stands for a part that is not known.
const UNKNOWN: &str = "-";

/// What caused a change, as one short text of four parts: `staff public OpenComplaint 0190…`. The first three hold
/// no blank; whoever acts comes last and may. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Cause(Arc<str>);

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parts of a [`Cause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CauseParts<'a> {
    /// What kind of actor it is: `staff`, `key`, `customer`, `anonymous`, `system`, `event`, `timer`, `operator`.
    pub kind: &'a str,
    /// Where from: the class of an address (`loopback`, `private`, `public`), the log of an event, or `-`.
    pub from: &'a str,
    /// The act: the name of a method, the sequence of an event, or `-`.
    pub act: &'a str,
    /// Who: the subject of a principal, or the name of a consumer or timer.
    pub who: &'a str,
}

impl Cause {
    /// The cause of these parts.
    pub fn new(parts: CauseParts<'_>) -> Self {
        let CauseParts { kind, from, act, who } = parts;
        let word =
            |part: &str| if part.is_empty() || part.contains(' ') { UNKNOWN.to_owned() } else { part.to_owned() };
        Self(format!("{} {} {} {who}", word(kind), word(from), word(act)).into())
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts of a stored cause; `None` when it is not one.
    pub fn parse(text: &str) -> Option<CauseParts<'_>> {
        let mut parts = text.splitn(4, ' ');
        Some(CauseParts { kind: parts.next()?, from: parts.next()?, act: parts.next()?, who: parts.next()? })
    }
}

/// What caused the events of a command, as it is stored with them.
pub(crate) fn of<S: Service>(job: &Job<S>) -> Arc<str> {
    if let Some(Cause(text)) = &job.cause {
        return text.clone();
    }
    let who = &*job.by;
    match &job.once {
        Once::Advance { advance, .. } | Once::Park { advance, .. } => {
            format!("event {} {} {who}", advance.source_log, advance.to_seq).into()
        }
        Once::Dead { note: Some(note), .. } => note.cause.as_str().into(),
        Once::Dead { verdict, .. } => format!("operator {UNKNOWN} {verdict} {who}").into(),
        Once::Chore(_) => format!("system {UNKNOWN} {UNKNOWN} {who}").into(),
        Once::Verb => format!("timer {UNKNOWN} {UNKNOWN} {who}").into(),
        Once::Key { .. } => format!("system {UNKNOWN} {UNKNOWN} {who}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_survives_its_text_whatever_the_subject_is() {
        for who in ["0190-aa", "auth0|a b c", ""] {
            let parts = CauseParts { kind: "staff", from: "public", act: "OpenComplaint", who };
            assert_eq!(Cause::parse(Cause::new(parts).as_str()), Some(parts));
        }
        assert_eq!(Cause::parse("staff public"), None);
    }

    #[test]
    fn only_the_last_part_may_hold_a_blank() {
        let cause = Cause::new(CauseParts { kind: "st aff", from: "", act: "Open", who: "a b" });
        assert_eq!(cause.as_str(), "- - Open a b");
    }
}

//! Names on the bus: streams, subjects and the poke. A total function of the event, because an event that
//! is in the log must be publishable whatever stands in it.

use commit::LogEvent;

/// Longest token of a subject, in bytes.
const MAX_TOKEN: usize = 48;
/// Stands where an event has no branch.
const NO_BRANCH: &str = "_";

/// How streams and subjects are called. `namespace` keeps installations (and tests) apart that share a
/// server: streams are then `<namespace>_KARIBU_<SERVICE>` and subjects `<namespace>.karibu.…`.
#[derive(Clone, Debug, Default)]
pub struct Names {
    namespace: Option<String>,
}

impl Names {
    /// Names within `namespace`, or the plain ones.
    pub fn new(namespace: Option<&str>) -> Self {
        Self { namespace: namespace.filter(|name| !name.is_empty()).map(token) }
    }

    /// The stream of a log: `KARIBU_TICKETING`.
    pub fn stream(&self, log: &str) -> String {
        let log = token(log).to_uppercase();
        match &self.namespace {
            Some(namespace) => format!("{namespace}_KARIBU_{log}"),
            None => format!("KARIBU_{log}"),
        }
    }

    /// All subjects of a log: `karibu.ticketing.>`.
    pub fn subjects(&self, log: &str) -> String {
        format!("{}.{}.>", self.prefix("karibu"), token(log))
    }

    /// The subject of an event: `karibu.ticketing.<branch or _>.complaint.opened`, from its type
    /// `karibu.ticketing.complaint.opened.v1` and its branch.
    pub fn subject(&self, log: &str, event: &LogEvent) -> String {
        let mut parts = event.kind.split('.').skip(2);
        let entity = parts.next().unwrap_or_default();
        let name = parts.next().unwrap_or_default();
        let branch = event.branch_id.map_or_else(|| NO_BRANCH.to_owned(), |id| id.hyphenated().to_string());
        format!("{}.{}.{branch}.{}.{}", self.prefix("karibu"), token(log), token(entity), token(name))
    }

    /// Where a replica tells the leading relay of a log that it has committed. Lossy and outside of the stream.
    pub fn poke(&self, log: &str) -> String {
        format!("{}.poke.{}", self.prefix("karibu-internal"), token(log))
    }

    fn prefix(&self, root: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}.{root}"),
            None => root.to_owned(),
        }
    }
}

/// Letters, digits, `_` and `-` stay; anything else becomes `_`. Never empty.
fn token(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let token: String = text.chars().take(MAX_TOKEN).map(fit).collect();
    if token.is_empty() { NO_BRANCH.to_owned() } else { token }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::envelope::tests::any_event;
    use proptest::prelude::*;
    use uuid::Uuid;

    #[test]
    fn names_follow_the_type_and_the_branch() {
        let names = Names::new(None);
        let mut event = crate::envelope::tests::example();
        event.kind = "karibu.ticketing.complaint.follow_up_due.v1".to_owned();
        event.branch_id = None;
        assert_eq!(names.subject("ticketing", &event), "karibu.ticketing._.complaint.follow_up_due");
        event.branch_id = Some(Uuid::from_u128(7));
        assert_eq!(
            names.subject("ticketing", &event),
            "karibu.ticketing.00000000-0000-0000-0000-000000000007.complaint.follow_up_due"
        );
        assert_eq!(names.stream("customer-profile"), "KARIBU_CUSTOMER-PROFILE");
        assert_eq!(names.subjects("ticketing"), "karibu.ticketing.>");
        let names = Names::new(Some("t1"));
        assert_eq!(names.stream("ticketing"), "t1_KARIBU_TICKETING");
        assert_eq!(names.subjects("ticketing"), "t1.karibu.ticketing.>");
        assert_eq!(names.poke("ticketing"), "t1.karibu-internal.poke.ticketing");
    }

    proptest! {
        #[test]
        fn every_event_has_a_valid_subject_of_its_stream(event in any_event()) {
            let names = Names::new(Some("t"));
            let subject = names.subject("ticketing", &event);
            let tokens: Vec<&str> = subject.split('.').collect();
            prop_assert_eq!(tokens.len(), 6);
            prop_assert!(subject.starts_with("t.karibu.ticketing."));
            for token in tokens {
                prop_assert!(!token.is_empty() && token.len() <= MAX_TOKEN);
                prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            }
        }
    }
}

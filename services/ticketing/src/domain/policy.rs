//! What the business sets: limits, windows and days. Defaults are those of the design.

use kernel::{DAY_US, Money, Points};

use super::complaint::Severity;

/// The rules of a business that verbs ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Points that any agent may offer in one proposal.
    pub points_limit: Points,
    /// Worth that any agent may offer in one proposal, per currency; a currency that is not listed needs an
    /// approver.
    pub money_limits: Vec<Money>,
    /// Days from the resolution to the follow-up: critical, high, all others.
    pub follow_up_days: [i32; 3],
    /// Hour of the branch's day, 0 to 23, at which a follow-up falls due.
    pub follow_up_hour: i8,
    /// Attempts to reach the customer before a follow-up ends without contact.
    pub follow_up_attempts: i32,
    /// Days from one attempt to the next.
    pub retry_days: i32,
    /// Days in which a resolved complaint can be reopened.
    pub reopen_days: i32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            points_limit: Points(1_000),
            money_limits: Vec::new(),
            follow_up_days: [1, 2, 3],
            follow_up_hour: 10,
            follow_up_attempts: 3,
            retry_days: 1,
            reopen_days: 14,
        }
    }
}

impl Policy {
    /// Days from the resolution of a complaint to its follow-up.
    pub const fn days_to_follow_up(&self, severity: Severity) -> i32 {
        let [critical, high, others] = self.follow_up_days;
        match severity {
            Severity::Critical => critical,
            Severity::High => high,
            Severity::Medium | Severity::Low => others,
        }
    }

    /// Whether what was resolved at `resolved_at_us` can still be reopened at `now_us`.
    pub fn may_reopen(&self, resolved_at_us: i64, now_us: i64) -> bool {
        now_us.saturating_sub(resolved_at_us) <= i64::from(self.reopen_days) * DAY_US
    }
}

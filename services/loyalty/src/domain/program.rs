//! A loyalty programme: how purchases become points and what happens when goods come back. The arithmetic of points
//! stands here and nowhere else.

use kernel::{Currency, Points};
use serde::{Deserialize, Serialize};

use super::{ProgramId, Refusal};

/// What a point is called when nobody says.
const DEFAULT_UNIT: &str = "points";
/// Time zone of a programme that names none.
const DEFAULT_TIME_ZONE: &str = "UTC";

/// Whether a programme runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramState {
    /// It runs.
    Active,
    /// Nothing is earned any more.
    Closed,
}

/// What happens to the part of a purchase that is too small for a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// It is lost.
    Floor,
    /// It is kept and counts with the next purchase.
    CarryRemainder,
}

/// What happens when points of a returned purchase are spent already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnPolicy {
    /// Only pending points are taken back.
    OnlyPending,
    /// Points are taken back as far as the balance goes.
    WithinBalance,
    /// What is missing becomes a debt.
    Debt,
}

/// How much of one currency makes how many points: `points` for each full step of `per_minor_units`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarnRule {
    /// The currency.
    pub currency: Currency,
    /// Points of one step, at least 1.
    pub points: i64,
    /// Size of a step in minor units, at least 1.
    pub per_minor_units: i64,
}

impl EarnRule {
    /// Points for an amount by itself; none for a negative one.
    pub fn award(&self, minor: i64) -> Result<Points, Refusal> {
        self.steps(minor.max(0) / self.per_minor_units)
    }

    /// Points for a change of what was spent, on top of the `remainder` that no point was given for yet. Gives the
    /// points (negative if the change is) and the new remainder, from 0 to below one step.
    pub fn carry(&self, remainder: i64, change_minor: i64) -> Result<(Points, i64), Refusal> {
        let sum = remainder.checked_add(change_minor).ok_or(Refusal::TooManyPoints)?;
        Ok((self.steps(sum.div_euclid(self.per_minor_units))?, sum.rem_euclid(self.per_minor_units)))
    }

    fn steps(&self, steps: i64) -> Result<Points, Refusal> {
        steps.checked_mul(self.points).map(Points).ok_or(Refusal::TooManyPoints)
    }
}

/// A loyalty programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its id.
    pub id: ProgramId,
    /// Its version.
    pub version: i64,
    /// Code chosen by the business, unique.
    pub code: String,
    /// Whether it runs.
    pub state: ProgramState,
    /// Version of the rules that make points.
    pub rule_version: i64,
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// Everything that can be chosen.
    pub terms: Terms,
}

/// The terms of a programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Name for people.
    pub display_name: String,
    /// What a point is called.
    pub unit_label: String,
    /// How purchases become points, one rule per currency.
    pub earn_rules: Vec<EarnRule>,
    /// What happens to parts of a point.
    pub rounding: Rounding,
    /// What happens when spent points must be taken back.
    pub return_policy: ReturnPolicy,
    /// Customers are enrolled by their first purchase or goodwill.
    pub auto_enrol: bool,
    /// Most points that one complaint may give; 0 = no limit.
    pub goodwill_max_points: i64,
    /// IANA time zone for accounts without a home branch.
    pub default_time_zone: String,
}

impl Program {
    /// Whether points can be earned.
    pub fn is_active(&self) -> bool {
        self.state == ProgramState::Active
    }

    /// The rule for purchases in `currency`; without one they earn nothing.
    pub fn find_rule(&self, currency: Currency) -> Option<EarnRule> {
        self.terms.earn_rules.iter().find(|rule| rule.currency == currency).copied()
    }
}

impl Terms {
    /// The terms with what was left out filled in, or why they cannot be.
    pub(super) fn checked(mut self) -> Result<Self, Refusal> {
        for (at, rule) in self.earn_rules.iter().enumerate() {
            if self.earn_rules[..at].iter().any(|earlier| earlier.currency == rule.currency) {
                return Err(Refusal::EarnRuleTwice { at });
            }
        }
        if self.unit_label.is_empty() {
            DEFAULT_UNIT.clone_into(&mut self.unit_label);
        }
        if self.default_time_zone.is_empty() {
            DEFAULT_TIME_ZONE.clone_into(&mut self.default_time_zone);
        }
        let zone = jiff::tz::TimeZone::get(&self.default_time_zone).map_err(|_| Refusal::TimeZoneUnknown)?;
        self.default_time_zone = zone.iana_name().ok_or(Refusal::TimeZoneUnknown)?.to_owned();
        Ok(self)
    }

    /// Whether entries made under `other` came about by other rules.
    pub(super) fn makes_points_unlike(&self, other: &Self) -> bool {
        (&self.earn_rules, self.rounding, self.return_policy)
            != (&other.earn_rules, other.rounding, other.return_policy)
    }
}

/// All programmes, oldest first: the settings of this service, cached in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs(Vec<Program>);

impl Programs {
    /// These programmes, oldest first.
    pub const fn new(programs: Vec<Program>) -> Self {
        Self(programs)
    }

    /// The programme with this id.
    pub fn find(&self, id: ProgramId) -> Option<&Program> {
        self.0.iter().find(|program| program.id == id)
    }

    /// Every programme, closed ones too.
    pub fn iter(&self) -> impl Iterator<Item = &Program> {
        self.0.iter()
    }

    /// The programmes that run.
    pub fn active(&self) -> impl Iterator<Item = &Program> {
        self.iter().filter(|program| program.is_active())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(points: i64, per_minor_units: i64) -> EarnRule {
        EarnRule { currency: "RWF".parse().unwrap(), points, per_minor_units }
    }

    #[test]
    fn points_are_given_for_full_steps() {
        let cases = [(1, 100, 1_999, 19), (1, 100, 99, 0), (5, 1_000, 2_500, 10), (1, 100, -250, 0), (1, 1, 7, 7)];
        for (points, per, minor, award) in cases {
            assert_eq!(rule(points, per).award(minor), Ok(Points(award)), "{points} per {per}: {minor}");
        }
    }

    #[test]
    fn a_remainder_is_carried_both_ways() {
        let rule = rule(1, 100);
        assert_eq!(rule.carry(90, 99), Ok((Points(1), 89)));
        assert_eq!(rule.carry(90, -99), Ok((Points(-1), 91)));
        assert_eq!(rule.carry(0, 0), Ok((Points(0), 0)));
    }

    #[test]
    fn what_passes_64_bits_is_refused() {
        assert_eq!(rule(2, 1).award(i64::MAX), Err(Refusal::TooManyPoints));
        assert_eq!(rule(1, 1).carry(1, i64::MAX), Err(Refusal::TooManyPoints));
    }
}

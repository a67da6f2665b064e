//! Routing: who takes care of a case. Hard filters say who may, a score in thousandths says who fits best, and both are
//! kept with the case. Reckoned in whole numbers, so that the same question has the same answer everywhere.

use kernel::{DAY_US, HOUR_US};
use serde::{Deserialize, Serialize};

use super::code::codes;
use super::staff::Staff;
use super::{BranchId, StaffId};

/// Weights of the parts of a score, in thousandths: skill, free capacity, affinity, preference, idle time.
const WEIGHTS: [i64; 5] = [300, 250, 200, 150, 100];
/// Affinity halves in so many days.
const AFFINITY_DAYS: i64 = 90;
/// Whoever got nothing for so long counts as fully idle.
const IDLE_US: i64 = 8 * HOUR_US;

codes! {
    /// What became of asking somebody to take a case.
    pub enum AskState {
        /// No answer yet.
        Asked = "ASKED",
        /// They take it.
        Accepted = "ACCEPTED",
        /// They do not.
        Declined = "DECLINED",
        /// They did not answer in time.
        TimedOut = "TIMED_OUT",
    }

    /// Why a case goes to a higher place.
    pub enum Trigger {
        /// Somebody asked for it.
        Manual = "MANUAL",
        /// The customer asked for it.
        CustomerRequest = "CUSTOMER_REQUEST",
        /// It was reopened a second time.
        SecondReopening = "SECOND_REOPENING",
        /// The customer took none of three offers.
        ThirdRound = "THIRD_ROUND",
        /// Nobody accepted it at the place before.
        NotAccepted = "NOT_ACCEPTED",
        /// A deadline of service was missed.
        Breach = "BREACH",
        /// It concerns safety, law or a vulnerable person.
        Grave = "GRAVE",
        /// The contact is hostile and the agent asks for help.
        Hostile = "HOSTILE",
    }
}

/// What a case asks of whoever takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Code and least level, 1 to 10, of a skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<(String, u8)>,
    /// Language, BCP 47. Never waived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// It is about the conduct of staff: only who is cleared for that.
    #[serde(default)]
    pub clearance: bool,
    /// Traits that the customer said they prefer; they match only with who opted in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<String>,
}

/// The parts of a score, each in thousandths of its whole, and the weighted sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// How far the skill goes beyond what is needed.
    pub skill: i64,
    /// How much of the capacity is free.
    pub capacity: i64,
    /// How good it was the last time, and how long ago.
    pub affinity: i64,
    /// How many of the stated preferences match.
    pub preference: i64,
    /// How long they got nothing.
    pub idle: i64,
    /// The weighted sum.
    pub total: i64,
}

/// Somebody was asked to take the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its id.
    pub id: uuid::Uuid,
    /// Who.
    pub staff: StaffId,
    /// Why they.
    pub score: Score,
    /// The skill was asked for at a level below what is needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relaxed: bool,
    /// What became of it.
    pub state: AskState,
    /// When.
    pub at_us: i64,
}

/// The case went to a higher place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Its id.
    pub id: uuid::Uuid,
    /// One more than the one before.
    pub level: u8,
    /// The place.
    pub branch: BranchId,
    /// Who is asked there; nobody = whoever is on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    /// Why.
    pub trigger: Trigger,
    /// When.
    pub at_us: i64,
    /// Who accepted it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<(String, i64)>,
}

/// How a case came to whoever has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    /// What it asks for.
    #[serde(default)]
    pub needs: Needs,
    /// Who was asked, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Ask>,
    /// How it rose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
}

impl Routing {
    /// Whether nothing is on record.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How high it rose; 0 = it stayed where it came in.
    pub fn level(&self) -> u8 {
        self.escalations.last().map_or(0, |last| last.level)
    }

    /// Who is asked right now.
    pub fn standing_ask(&self) -> Option<&Ask> {
        self.asks.last().filter(|ask| ask.state == AskState::Asked)
    }
}

/// The people who mainly work at a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The branch.
    pub branch: BranchId,
    /// Counts up with every change.
    pub version: i64,
    /// Who.
    pub members: Vec<StaffId>,
}

/// Who last satisfied a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affinity {
    /// The customer.
    pub customer: super::CustomerId,
    /// Counts up with every change.
    pub version: i64,
    /// Who.
    pub staff: StaffId,
    /// When.
    pub at_us: i64,
}

/// Somebody who may be asked, and how many open cases they have.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'s> {
    /// Who.
    pub staff: &'s Staff,
    /// Open cases of theirs.
    pub load: i64,
}

impl Candidate<'_> {
    /// Whether they may take it: the hard filters but those of branch and recusal.
    pub fn may(&self, needs: &Needs, lower_by: u8, now_us: i64) -> bool {
        let profile = &self.staff.profile;
        let skilled = needs.skill.as_ref().is_none_or(|(code, level)| {
            self.skill(code, now_us).is_some_and(|has| has >= level.saturating_sub(lower_by))
        });
        let speaks = needs.language.as_ref().is_none_or(|language| profile.languages.contains(language));
        let cleared = !needs.clearance || profile.cleared;
        !self.staff.left && profile.present && self.load < profile.capacity && skilled && speaks && cleared
    }

    /// How well they fit.
    pub fn score(&self, needs: &Needs, affinity: Option<&Affinity>, now_us: i64) -> Score {
        let profile = &self.staff.profile;
        let skill = needs.skill.as_ref().map_or(1_000, |(code, level)| {
            let beyond = i64::from(self.skill(code, now_us).unwrap_or(0)) - i64::from(*level);
            (500 + beyond * 100).clamp(0, 1_000)
        });
        let capacity = (profile.capacity - self.load).max(0) * 1_000 / profile.capacity.max(1);
        let theirs = affinity.filter(|affinity| affinity.staff == self.staff.id);
        let affinity = theirs.map_or(0, |affinity| half_life(now_us.saturating_sub(affinity.at_us) / DAY_US));
        let matching = needs.preferred.iter().filter(|trait_| profile.opted_in.contains(trait_)).count();
        let preference = i64::try_from(matching * 1_000 / needs.preferred.len().max(1)).unwrap_or(0);
        let idle_us = now_us.saturating_sub(profile.last_assigned_at_us).clamp(0, IDLE_US);
        let idle = idle_us / (IDLE_US / 1_000);
        let parts = [skill, capacity, affinity, preference, idle];
        let total = parts.iter().zip(WEIGHTS).map(|(part, weight)| part * weight).sum::<i64>() / 1_000;
        Score { skill, capacity, affinity, preference, idle, total }
    }

    fn skill(&self, code: &str, now_us: i64) -> Option<u8> {
        let skills = self.staff.profile.skills.iter();
        let has = skills.filter(|skill| skill.code == code && skill.trained_until_us.is_none_or(|end| now_us < end));
        has.map(|skill| skill.level).max()
    }
}

/// Thousandths left after `days`, halving every [`AFFINITY_DAYS`]; straight between the halvings.
fn half_life(days: i64) -> i64 {
    let days = days.max(0);
    let halvings = u32::try_from(days / AFFINITY_DAYS).unwrap_or(u32::MAX);
    let whole = 1_000_i64.checked_shr(halvings).unwrap_or(0);
    whole - whole / 2 * (days % AFFINITY_DAYS) / AFFINITY_DAYS
}

/// The best of `candidates`: the highest score, else who was assigned least recently, else the lowest id.
pub fn best<'c, 's>(
    candidates: &'c [Candidate<'s>],
    needs: &Needs,
    affinity: Option<&Affinity>,
    now_us: i64,
) -> Option<(&'c Candidate<'s>, Score)> {
    let scored = candidates.iter().map(|candidate| (candidate, candidate.score(needs, affinity, now_us)));
    scored.max_by(|(a, ascore), (b, bscore)| {
        let by_rest = |one: &Candidate<'_>| (one.staff.profile.last_assigned_at_us, one.staff.id.uuid());
        ascore.total.cmp(&bscore.total).then_with(|| by_rest(b).cmp(&by_rest(a)))
    })
}

/// The open cases of somebody among those that they were given.
pub fn is_theirs(staff: StaffId, complaint: &super::complaint::Complaint) -> bool {
    complaint.owner == Some(staff) && complaint.state.is_open()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::staff::{Profile, Skill};

    fn agent(id: u128, profile: Profile) -> Staff {
        Staff { profile, ..Staff::new(StaffId(uuid::Uuid::from_u128(id))) }
    }

    fn skilled(level: u8) -> Profile {
        let skill = Skill { code: "cards".to_owned(), level, trained_until_us: Some(100) };
        Profile { skills: vec![skill], languages: vec!["rw".to_owned()], ..Profile::default() }
    }

    fn cards() -> Needs {
        Needs { skill: Some(("cards".to_owned(), 5)), ..Needs::default() }
    }

    #[test]
    fn who_lacks_skill_training_language_clearance_presence_or_room_is_not_asked() {
        let needs = Needs { language: Some("rw".to_owned()), ..cards() };
        let fit = agent(1, skilled(5));
        let may = |staff: &Staff, load, needs: &Needs, now_us| Candidate { staff, load }.may(needs, 0, now_us);
        assert!(may(&fit, 9, &needs, 99));
        assert!(!may(&fit, 10, &needs, 99), "no room");
        assert!(!may(&fit, 0, &needs, 100), "training over");
        assert!(!may(&agent(1, skilled(4)), 0, &needs, 1), "skill");
        assert!(Candidate { staff: &agent(1, skilled(4)), load: 0 }.may(&needs, 1, 1), "one level lower");
        assert!(!may(&fit, 0, &Needs { language: Some("fr".to_owned()), ..cards() }, 1));
        assert!(!may(&fit, 0, &Needs { clearance: true, ..cards() }, 1));
        assert!(!may(&agent(1, Profile { present: false, ..skilled(9) }), 0, &needs, 1));
        assert!(!may(&Staff { left: true, ..fit.clone() }, 0, &needs, 1));
    }

    #[test]
    fn the_parts_of_a_score_are_weighed_and_add_up() {
        let staff = agent(1, Profile { opted_in: vec!["sports".to_owned()], ..skilled(10) });
        let customer = crate::domain::CustomerId(uuid::Uuid::nil());
        let affinity = Affinity { customer, version: 1, staff: staff.id, at_us: 0 };
        let needs = Needs { preferred: vec!["sports".to_owned(), "music".to_owned()], ..cards() };
        let score = Candidate { staff: &staff, load: 5 }.score(&needs, Some(&affinity), 0);
        let expected = Score { skill: 1_000, capacity: 500, affinity: 1_000, preference: 500, idle: 0, total: 700 };
        assert_eq!(score, expected);
    }

    #[test]
    fn affinity_halves_every_ninety_days() {
        assert_eq!([0, 45, 90, 180, 100_000].map(half_life), [1_000, 750, 500, 250, 0]);
    }

    #[test]
    fn a_tie_goes_to_who_rested_longest_and_then_to_the_lowest_id() {
        let rested = agent(9, Profile { last_assigned_at_us: -2 * IDLE_US, ..skilled(5) });
        let (low, high) = (agent(1, skilled(5)), agent(2, skilled(5)));
        let of = |staff| Candidate { staff, load: 0 };
        let now_us = 2 * IDLE_US;
        let needs = Needs::default();
        let picked = |candidates: &[Candidate<'_>]| best(candidates, &needs, None, now_us).map(|(one, _)| one.staff.id);
        assert_eq!(picked(&[of(&high), of(&rested), of(&low)]), Some(rested.id));
        assert_eq!(picked(&[of(&high), of(&low)]), Some(low.id));
        assert_eq!(picked(&[]), None);
    }
}

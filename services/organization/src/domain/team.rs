//! People at work together and when: teams, shifts and presence.

use super::{BranchId, ShiftId, StaffMemberId, TeamId};

/// People of a branch who work together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// The id.
    pub id: TeamId,
    /// The version.
    pub version: i64,
    /// The branch that it belongs to.
    pub branch: BranchId,
    /// Name for people.
    pub display_name: String,
    /// Its members, in order of their ids.
    pub members: Vec<StaffMemberId>,
    /// The member who leads it.
    pub lead: Option<StaffMemberId>,
    /// When it was made, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// When it was dissolved, microseconds since the Unix epoch.
    pub dissolved_at_us: Option<i64>,
}

/// When someone works where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// The id.
    pub id: ShiftId,
    /// The version.
    pub version: i64,
    /// Who works.
    pub member: StaffMemberId,
    /// Where.
    pub branch: BranchId,
    /// When it begins, microseconds since the Unix epoch.
    pub starts_at_us: i64,
    /// When it ends, microseconds since the Unix epoch.
    pub ends_at_us: i64,
    /// When it was planned, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// When it was cancelled, microseconds since the Unix epoch.
    pub cancelled_at_us: Option<i64>,
}

/// The shifts of one person that are not over: what a new one must not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The person.
    pub id: StaffMemberId,
    /// The shifts with beginning and end, microseconds since the Unix epoch.
    pub shifts: Vec<(ShiftId, i64, i64)>,
    /// Not stored, nobody outside sees it.
    pub version: i64,
}

/// Whether someone is there for customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceState {
    /// There, and free for customers.
    Available,
    /// There, but busy with one.
    Busy,
    /// At work, but not there for customers just now.
    Away,
    /// Not at work.
    Offline,
}

impl PresenceState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Available, Self::Busy, Self::Away, Self::Offline];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Busy => "busy",
            Self::Away => "away",
            Self::Offline => "offline",
        }
    }

    /// The state with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What was last said of the presence of someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The person.
    pub id: StaffMemberId,
    /// The version.
    pub version: i64,
    /// Where the person is.
    pub branch: BranchId,
    /// Whether the person is there.
    pub state: PresenceState,
    /// Since when, microseconds since the Unix epoch.
    pub since_us: i64,
    /// Until when it was said to hold, microseconds since the Unix epoch.
    pub until_us: Option<i64>,
    /// When it was said for the first time, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last said, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl Presence {
    /// What holds at `now_us`, and since when: nobody stays available by forgetting to go offline.
    pub fn at(&self, now_us: i64) -> (PresenceState, i64) {
        match self.until_us {
            Some(until_us) if until_us <= now_us && self.state != PresenceState::Offline => {
                (PresenceState::Offline, until_us)
            }
            _ => (self.state, self.since_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_said_holds_until_its_time() {
        let presence = Presence {
            id: StaffMemberId(Uuid::from_u128(1)),
            version: 1,
            branch: BranchId(Uuid::from_u128(2)),
            state: PresenceState::Away,
            since_us: 10,
            until_us: Some(20),
            created_at_us: 10,
            updated_at_us: 10,
        };
        assert_eq!(presence.at(19), (PresenceState::Away, 10));
        assert_eq!(presence.at(20), (PresenceState::Offline, 20));
        assert_eq!(Presence { until_us: None, ..presence }.at(i64::MAX), (PresenceState::Away, 10));
        for state in PresenceState::ALL {
            assert_eq!(PresenceState::find(state.as_str()), Some(state));
        }
    }
}

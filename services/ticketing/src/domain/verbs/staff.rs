//! What the organization tells about staff is noted here, and what they and their leads say of what they can do.
//! Whoever leaves gives their open cases back.

use commit::{Missing, Verb, ensure, refuse};
use kernel::BranchScope;

use crate::Ticketing;
use crate::domain::desk::all_of;
use crate::domain::routing::{Roster, is_theirs};
use crate::domain::staff::{Grant, Profile, Staff};
use crate::domain::{BranchId, ComplaintId, Cx, Desk, Event, Outcome, Refusal, StaffId};

use super::route::ask_next;

/// Somebody works for the business, or their work changed. Without any role they work here no longer.
#[derive(Clone, Debug)]
pub struct PutStaff {
    /// Who.
    pub staff: StaffId,
    /// Where they mainly work.
    pub home: Option<BranchId>,
    /// Their roles.
    pub grants: Vec<Grant>,
}

impl PutStaff {
    fn enlist(&self, old: Option<BranchId>, left: bool, desk: &mut Desk) -> Result<(), Missing> {
        let home = self.home.filter(|_| !left);
        if old == home {
            return Ok(());
        }
        if let Some(old) = old
            && let Some(roster) = desk.rosters.edit(old)?
        {
            roster.members.retain(|member| *member != self.staff);
        }
        if let Some(branch) = home {
            let known = desk.rosters.get(branch)?.cloned();
            let mut roster = known.unwrap_or_else(|| Roster { branch, version: 0, members: Vec::new() });
            roster.members.push(self.staff);
            desk.rosters.insert(roster);
        }
        Ok(())
    }
}

impl Verb<Ticketing> for PutStaff {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let known = desk.staff.get(self.staff)?.cloned();
        let before = known.as_ref().filter(|old| !old.left).and_then(|old| old.home);
        let mut staff = known.unwrap_or_else(|| Staff { created_at_us: cx.now_us, ..Staff::new(self.staff) });
        let left = self.grants.is_empty();
        let cases = if left && !staff.left { std::mem::take(&mut staff.cases) } else { Vec::new() };
        staff.home = self.home;
        staff.grants.clone_from(&self.grants);
        staff.left = left;
        staff.updated_at_us = cx.now_us;
        desk.staff.insert(staff);
        self.enlist(before, left, desk)?;

        let open = all_of(&mut desk.complaints, &cases)?.into_iter().filter(|case| is_theirs(self.staff, case));
        let open: Vec<ComplaintId> = open.map(|case| case.id).collect();
        for id in open {
            let Some(complaint) = desk.complaints.edit(id)? else { continue };
            complaint.owner = None;
            complaint.tell(Event::OwnerLeft { complaint: id, staff: self.staff }, &mut desk.history, cx);
            ask_next(id, desk, cx)?;
        }
        Ok(())
    }
}

/// This is what they can do, and whether they are there.
#[derive(Clone, Debug)]
pub struct PutProfile {
    /// What the caller reaches.
    pub scope: BranchScope,
    /// Who.
    pub staff: StaffId,
    /// The version that the caller knows; `None` does not check.
    pub expected_version: Option<i64>,
    /// What they can do; when they were last given a case stays.
    pub profile: Profile,
}

impl Verb<Ticketing> for PutProfile {
    type Reply = Staff;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Staff> {
        let found = desk.staff.get(self.staff)?.cloned();
        let seen = found.filter(|staff| staff.home.map_or(self.scope.is_all(), |home| self.scope.allows(home.uuid())));
        let Some(mut staff) = seen else { refuse!(Refusal::StaffUnknown) };
        let current = staff.version;
        ensure!(self.expected_version.is_none_or(|known| known == current), Refusal::VersionMismatch { current });
        // As it will be saved: nothing is told, so that it counts up once.
        staff.version = current + 1;
        let last_assigned_at_us = staff.profile.last_assigned_at_us;
        staff.profile = Profile { last_assigned_at_us, ..self.profile.clone() };
        staff.updated_at_us = cx.now_us;
        Ok(desk.staff.insert(staff).clone())
    }
}

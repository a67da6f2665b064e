//! Following complaints: counting the open ones of a customer, scheduling invitations when there is a result to ask
//! about, and calling them off when work goes on.

use commit::{Cx, Missing, Stop, Verb};
use uuid::Uuid;

use crate::Feedback;
use crate::domain::{
    CLAIM_OCCASION, Case, CaseEvent, CaseId, Cause, Desk, Event, Invitation, InvitationId, InvitationState, Occasion,
    OpenCases, Refusal, Survey, TriggerRule,
};

/// Microseconds in a millisecond.
const MS_US: i64 = 1_000;

/// Something happened to a complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The complaint.
    pub case: CaseId,
    /// What happened.
    pub event: CaseEvent,
    /// Its customer, if the event says.
    pub customer: Option<Uuid>,
    /// Its branch, if the event says.
    pub branch: Option<Uuid>,
    /// How often it was resolved, if the event says.
    pub cycle: Option<i64>,
    /// When it happened, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
}

impl Verb<Feedback> for Followed {
    type Reply = ();

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        let mut case = world.cases.get(self.case)?.cloned().unwrap_or(Case {
            id: self.case,
            customer: None,
            branch: None,
            open_for: None,
            cycle: 0,
            scheduled: Vec::new(),
            version: 0,
        });
        case.customer = self.customer.or(case.customer);
        case.branch = self.branch.or(case.branch);
        let cycle = self.cycle.unwrap_or(case.cycle);
        if cycle != case.cycle {
            // Invitations of an earlier resolution were sent or called off when the case was reopened.
            (case.cycle, case.scheduled) = (cycle, Vec::new());
        }
        self.count(&mut case, world)?;
        self.call_off(&case, world, cx)?;
        if self.event.can_trigger() {
            self.schedule(&mut case, world, cx)?;
        }
        match world.cases.edit(self.case)? {
            Some(stored) => *stored = Case { version: stored.version, ..case },
            None => {
                world.cases.insert(case);
            }
        }
        Ok(())
    }
}

impl Followed {
    /// Keeps the number of open cases of the customer.
    fn count(&self, case: &mut Case, world: &mut Desk) -> Result<(), Missing> {
        let open_for = if self.event.leaves_open() { case.customer } else { None };
        if case.open_for == open_for {
            return Ok(());
        }
        for (customer, by) in [(case.open_for, -1), (open_for, 1)] {
            let Some(customer) = customer else { continue };
            match world.open_cases.edit(customer)? {
                Some(open) => open.count += by,
                None => {
                    world.open_cases.insert(OpenCases { customer, count: by.max(0), version: 0 });
                }
            }
        }
        case.open_for = open_for;
        Ok(())
    }

    /// Calls off what has not gone out and whose survey wants it so.
    fn call_off(&self, case: &Case, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Missing> {
        for id in &case.scheduled {
            let Some(invitation) = world.invitations.get(*id)? else { continue };
            if invitation.state != InvitationState::Scheduled {
                continue;
            }
            let survey = invitation.survey;
            let rule = world.surveys.get(survey)?.and_then(|survey| survey.trigger.as_ref());
            if !rule.is_some_and(|rule| rule.cancel_on.contains(&self.event)) {
                continue;
            }
            if let Some(invitation) = world.invitations.edit(*id)? {
                super::invitation::cancel(invitation, Cause::Case(self.event), cx);
            }
        }
        Ok(())
    }

    /// Schedules one invitation for each survey that this event starts; once per survey, case and resolution.
    fn schedule(&self, case: &mut Case, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Missing> {
        let Some(customer) = case.customer else { return Ok(()) };
        let settings = cx.settings;
        let started = settings.inviting.iter().filter_map(|survey| {
            survey.trigger.as_ref().filter(|rule| rule.on == self.event).map(|rule| (survey, rule))
        });
        for (survey, rule) in started {
            if !works_in(survey, case.branch, world)? {
                continue;
            }
            let id = InvitationId(cx.new_id());
            let occasion =
                [survey.id.uuid().as_bytes().as_slice(), case.id.uuid().as_bytes(), &case.cycle.to_be_bytes()].concat();
            if world.claims.take(CLAIM_OCCASION, &occasion, id)?.is_err() {
                continue;
            }
            let invitation = world.invitations.insert(self.invitation(id, survey, rule, case, customer, cx.now_us));
            let told = invitation.clone();
            cx.emit(invitation, Event::InvitationScheduled(told));
            case.scheduled.push(id);
        }
        Ok(())
    }

    fn invitation(
        &self,
        id: InvitationId,
        survey: &Survey,
        rule: &TriggerRule,
        case: &Case,
        customer: Uuid,
        now_us: i64,
    ) -> Invitation {
        Invitation {
            id,
            version: 0,
            survey: survey.id,
            survey_revision: survey.revision(),
            customer,
            branch: case.branch,
            occasion: Occasion { event: self.event, case: case.id, cycle: case.cycle },
            state: InvitationState::Scheduled,
            scheduled_at_us: self.occurred_at_us + rule.delay_ms * MS_US,
            sent_at_us: None,
            expires_at_us: None,
            created_at_us: now_us,
            updated_at_us: now_us,
        }
    }
}

/// Whether a survey works in the branch: it names none, or the branch, or one above it.
fn works_in(survey: &Survey, branch: Option<Uuid>, world: &mut Desk) -> Result<bool, Missing> {
    if survey.branches.is_empty() {
        return Ok(true);
    }
    let mut place = branch;
    while let Some(here) = place {
        if survey.branches.contains(&here) {
            return Ok(true);
        }
        place = world.branches.get(here)?.and_then(|branch| branch.parent);
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use commit::Rehearsal;
    use kernel::BranchScope;

    use super::*;
    use crate::domain::verbs::survey::tests::create;
    use crate::domain::verbs::{ActivateSurvey, KeepBranch, SendInvitation};
    use crate::domain::{Created, Settings, SuppressReason};

    pub(crate) const CUSTOMER: Uuid = Uuid::from_u128(100);
    pub(crate) const BRANCH: Uuid = Uuid::from_u128(200);

    pub(crate) fn followed(case: u128, event: CaseEvent, cycle: Option<i64>) -> Followed {
        Followed {
            case: CaseId(Uuid::from_u128(case)),
            event,
            customer: Some(CUSTOMER),
            branch: Some(BRANCH),
            cycle,
            occurred_at_us: 1_000_000,
        }
    }

    /// A stage with one active survey that `change` has changed.
    pub(crate) fn stage(change: impl Fn(&mut super::super::CreateSurvey)) -> Rehearsal<Feedback> {
        let mut stage = Rehearsal::<Feedback>::new(Settings::default(), 1_000_000);
        stage.play(&KeepBranch { id: BRANCH, parent: Some(Uuid::from_u128(201)), closed: false }).unwrap();
        stage.play(&KeepBranch { id: Uuid::from_u128(201), parent: None, closed: false }).unwrap();
        let mut verb = create();
        change(&mut verb);
        let Created(survey) = stage.play(&verb).unwrap();
        let activate = ActivateSurvey { scope: BranchScope::All, id: survey.id, expected_version: None };
        let survey = stage.play(&activate).unwrap().0;
        stage.settings.inviting.push(survey);
        stage.told();
        stage
    }

    fn kinds(events: &[Event]) -> Vec<&'static str> {
        events
            .iter()
            .map(|event| match event {
                Event::InvitationScheduled(_) => "scheduled",
                Event::InvitationSent(_) => "sent",
                Event::InvitationCancelled { .. } => "cancelled",
                Event::InvitationSuppressed { .. } => "suppressed",
                other => unreachable!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn one_invitation_per_survey_case_and_resolution() {
        let mut stage = stage(|_| ());
        stage.play(&followed(1, CaseEvent::Opened, None)).unwrap();
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        let told = stage.told();
        let [Event::InvitationScheduled(invitation)] = told.as_slice() else { unreachable!("{told:?}") };
        assert_eq!((invitation.customer, invitation.branch), (CUSTOMER, Some(BRANCH)));
        assert_eq!(invitation.scheduled_at_us, 61_000_000);
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        assert_eq!(stage.told(), [], "the same resolution again");
        stage.play(&followed(1, CaseEvent::Resolved, Some(2))).unwrap();
        stage.play(&followed(2, CaseEvent::Resolved, Some(1))).unwrap();
        assert_eq!(kinds(&stage.told()), ["scheduled", "scheduled"]);
    }

    #[test]
    fn a_case_without_a_customer_invites_nobody() {
        let mut stage = stage(|_| ());
        stage.play(&Followed { customer: None, ..followed(1, CaseEvent::Resolved, Some(1)) }).unwrap();
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn reopening_calls_off_what_has_not_gone_out() {
        let mut stage = stage(|_| ());
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        stage.play(&followed(1, CaseEvent::Reopened, Some(1))).unwrap();
        assert_eq!(kinds(&stage.told()), ["scheduled", "cancelled"]);
        stage.play(&followed(1, CaseEvent::Resolved, Some(2))).unwrap();
        assert_eq!(kinds(&stage.told()), ["scheduled"], "the next resolution invites anew");
    }

    #[test]
    fn reopening_leaves_what_went_out() {
        let mut stage = stage(|_| ());
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        let told = stage.told();
        let [Event::InvitationScheduled(invitation)] = told.as_slice() else { unreachable!("{told:?}") };
        stage.now_us = invitation.scheduled_at_us;
        stage.play(&SendInvitation { id: invitation.id }).unwrap();
        stage.play(&followed(1, CaseEvent::Reopened, Some(1))).unwrap();
        assert_eq!(kinds(&stage.told()), ["sent"]);
    }

    #[test]
    fn nobody_is_asked_while_another_complaint_is_open() {
        let mut stage = stage(|_| ());
        stage.play(&followed(1, CaseEvent::Opened, None)).unwrap();
        stage.play(&followed(2, CaseEvent::Opened, None)).unwrap();
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        let told = stage.told();
        let [Event::InvitationScheduled(invitation)] = told.as_slice() else { unreachable!("{told:?}") };
        stage.now_us = invitation.scheduled_at_us;
        stage.play(&SendInvitation { id: invitation.id }).unwrap();
        let told = stage.told();
        assert!(
            matches!(told[..], [Event::InvitationSuppressed { reason: SuppressReason::OpenComplaint, .. }]),
            "{told:?}"
        );
        // Withdrawn, closed and resolved cases are not open.
        stage.play(&followed(2, CaseEvent::Withdrawn, None)).unwrap();
        assert_eq!(stage.world.open_cases.get(CUSTOMER).unwrap().unwrap().count, 0);
    }

    #[test]
    fn a_survey_works_in_its_branches_and_all_below() {
        for (branches, expected) in [(vec![BRANCH], 1), (vec![Uuid::from_u128(201)], 1), (vec![], 1)] {
            let mut stage = stage(|verb| verb.branches.clone_from(&branches));
            stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
            assert_eq!(stage.told().len(), expected, "{branches:?}");
        }
        let mut stage = stage(|verb| verb.branches = vec![BRANCH]);
        let elsewhere = Followed { branch: Some(Uuid::from_u128(201)), ..followed(1, CaseEvent::Resolved, Some(1)) };
        stage.play(&elsewhere).unwrap();
        assert_eq!(stage.told(), [], "a region is not below its branch");
    }

    #[test]
    fn the_count_of_open_cases_follows_every_way() {
        let mut stage = stage(|_| ());
        let steps = [
            (CaseEvent::Opened, None, 1),
            (CaseEvent::Opened, None, 1),
            (CaseEvent::Resolved, Some(1), 0),
            (CaseEvent::Closed, None, 0),
            (CaseEvent::Reopened, Some(1), 1),
            (CaseEvent::Withdrawn, None, 0),
        ];
        for (event, cycle, count) in steps {
            stage.play(&followed(1, event, cycle)).unwrap();
            assert_eq!(stage.world.open_cases.get(CUSTOMER).unwrap().unwrap().count, count, "{event:?}");
        }
    }
}

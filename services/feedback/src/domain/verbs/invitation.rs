//! What time does to invitations: they go out, or they end. Timers ask; these decide whether anything is still due.

use commit::{Cx, Stop, Verb};

use crate::Feedback;
use crate::domain::{
    Cause, Desk, Event, Invitation, InvitationId, InvitationState, Refusal, SuppressReason, SurveyState,
};

/// Microseconds in a millisecond.
const MS_US: i64 = 1_000;

/// The time of an invitation may have come.
#[derive(Clone, Copy, Debug)]
pub struct SendInvitation {
    /// The invitation.
    pub id: InvitationId,
}

impl Verb<Feedback> for SendInvitation {
    type Reply = ();

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        let Some(invitation) = world.invitations.get(self.id)? else { return Ok(()) };
        if invitation.state != InvitationState::Scheduled || invitation.scheduled_at_us > cx.now_us {
            return Ok(());
        }
        let (survey, customer) = (invitation.survey, invitation.customer);
        let Some(survey) = world.surveys.get(survey)? else { return Ok(()) };
        let (state, link_ttl_ms) = (survey.state, survey.link_ttl_ms);
        let has_open_case = world.open_cases.get(customer)?.is_some_and(|open| open.count > 0);
        let is_erased = world.erasures.get(customer)?.is_some();
        let Some(invitation) = world.invitations.edit(self.id)? else { return Ok(()) };
        match state {
            _ if is_erased => cancel(invitation, Cause::CustomerErased, cx),
            SurveyState::Draft | SurveyState::Paused => cancel(invitation, Cause::SurveyPaused, cx),
            SurveyState::Closed => cancel(invitation, Cause::SurveyClosed, cx),
            SurveyState::Active if has_open_case => {
                let reason = SuppressReason::OpenComplaint;
                invitation.state = InvitationState::Suppressed { reason };
                invitation.updated_at_us = cx.now_us;
                let told = invitation.clone();
                cx.emit(invitation, Event::InvitationSuppressed { invitation: told, reason });
            }
            SurveyState::Active => {
                invitation.state = InvitationState::Sent;
                invitation.sent_at_us = Some(cx.now_us);
                invitation.expires_at_us = Some(cx.now_us + link_ttl_ms * MS_US);
                invitation.updated_at_us = cx.now_us;
                let told = invitation.clone();
                cx.emit(invitation, Event::InvitationSent(told));
            }
        }
        Ok(())
    }
}

/// The end of an invitation may have come.
#[derive(Clone, Copy, Debug)]
pub struct ExpireInvitation {
    /// The invitation.
    pub id: InvitationId,
}

impl Verb<Feedback> for ExpireInvitation {
    type Reply = ();

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        let is_due = world.invitations.get(self.id)?.is_some_and(|invitation| {
            invitation.state == InvitationState::Sent && invitation.expires_at_us.is_some_and(|end| end <= cx.now_us)
        });
        if is_due && let Some(invitation) = world.invitations.edit(self.id)? {
            invitation.state = InvitationState::Expired;
            invitation.updated_at_us = cx.now_us;
            let told = invitation.clone();
            cx.emit(invitation, Event::InvitationExpired(told));
        }
        Ok(())
    }
}

/// Calls a scheduled invitation off.
pub(super) fn cancel(invitation: &mut Invitation, cause: Cause, cx: &mut Cx<'_, Feedback>) {
    invitation.state = InvitationState::Cancelled { cause };
    invitation.updated_at_us = cx.now_us;
    let told = invitation.clone();
    cx.emit(invitation, Event::InvitationCancelled { invitation: told, cause });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::BranchScope;

    use super::*;
    use crate::domain::verbs::case::tests::{followed, stage};
    use crate::domain::verbs::{CloseSurvey, PauseSurvey};
    use crate::domain::{CaseEvent, SurveyId};

    fn scheduled(stage: &mut commit::Rehearsal<Feedback>) -> Invitation {
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        match stage.told().pop() {
            Some(Event::InvitationScheduled(invitation)) => invitation,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn an_invitation_goes_out_once_when_its_time_has_come_and_ends_once() {
        let mut stage = stage(|_| ());
        let invitation = scheduled(&mut stage);
        let (send, expire) = (SendInvitation { id: invitation.id }, ExpireInvitation { id: invitation.id });
        stage.now_us = invitation.scheduled_at_us - 1;
        stage.play(&send).unwrap();
        assert_eq!(stage.told(), [], "too early");
        stage.now_us += 1;
        stage.play(&send).unwrap();
        stage.play(&send).unwrap();
        let told = stage.told();
        let [Event::InvitationSent(sent)] = told.as_slice() else { unreachable!("{told:?}") };
        let end = invitation.scheduled_at_us + 3_600_000_000;
        assert_eq!((sent.sent_at_us, sent.expires_at_us), (Some(invitation.scheduled_at_us), Some(end)));
        stage.now_us = end - 1;
        stage.play(&expire).unwrap();
        assert_eq!(stage.told(), []);
        stage.now_us = end;
        stage.play(&expire).unwrap();
        stage.play(&expire).unwrap();
        assert!(matches!(stage.told()[..], [Event::InvitationExpired(_)]));
    }

    #[test]
    fn a_survey_that_is_paused_or_over_sends_nothing() {
        let pause = |id| PauseSurvey { scope: BranchScope::All, id, expected_version: None };
        let close = |id| CloseSurvey { scope: BranchScope::All, id, expected_version: None };
        type End = Box<dyn Fn(&mut commit::Rehearsal<Feedback>, SurveyId)>;
        let ends: [(End, Cause); 2] = [
            (Box::new(move |stage, id| drop(stage.play(&pause(id)).unwrap())), Cause::SurveyPaused),
            (Box::new(move |stage, id| drop(stage.play(&close(id)).unwrap())), Cause::SurveyClosed),
        ];
        for (end, expected) in ends {
            let mut stage = stage(|_| ());
            let invitation = scheduled(&mut stage);
            end(&mut stage, invitation.survey);
            stage.told();
            stage.now_us = invitation.scheduled_at_us;
            stage.play(&SendInvitation { id: invitation.id }).unwrap();
            let told = stage.told();
            assert!(
                matches!(told.as_slice(), [Event::InvitationCancelled { cause, .. }] if *cause == expected),
                "{told:?}"
            );
        }
    }
}

//! Making surveys and bringing them through their states.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;
use uuid::Uuid;

use crate::Feedback;
use crate::domain::{
    Activated, CLAIM_CODE, CaseEvent, Closed, Created, Desk, Event, Paused, Questionnaire, Refusal, Survey, SurveyId,
    SurveyKind, SurveyState, TriggerRule, check_version,
};

/// Makes a survey as a draft.
#[derive(Clone, Debug)]
pub struct CreateSurvey {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// Its code.
    pub code: String,
    /// Its name for people of the business.
    pub display_name: String,
    /// What it measures.
    pub kind: SurveyKind,
    /// What it asks.
    pub questionnaire: Questionnaire,
    /// When it invites by itself. Without a list of what calls an invitation off, work on the case does.
    pub trigger: Option<TriggerRule>,
    /// Branches for which it works; empty means all.
    pub branches: Vec<Uuid>,
    /// How long an invitation is open, milliseconds.
    pub link_ttl_ms: i64,
}

impl Verb<Feedback> for CreateSurvey {
    type Reply = Created<Survey>;

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<Created<Survey>, Stop<Refusal>> {
        let questionnaire = self.questionnaire.clone().check(self.kind).map_err(Stop::Refused)?;
        let trigger = self.trigger.clone().map(with_defaults);
        ensure!(trigger.as_ref().is_none_or(|rule| rule.on.can_trigger()), Refusal::TriggerUnknown);
        for branch in &self.branches {
            ensure!(self.scope.allows(*branch), Refusal::BranchesExceedCaller);
            ensure!(world.branches.get(*branch)?.is_some(), Refusal::BranchUnknown);
        }
        ensure!(!self.branches.is_empty() || self.scope.is_all(), Refusal::BranchesExceedCaller);
        let id = SurveyId(cx.new_id());
        ensure!(world.claims.take(CLAIM_CODE, self.code.as_bytes(), id)?.is_ok(), Refusal::SurveyCodeTaken);
        let metric = questionnaire.definition(self.kind);
        let survey = world.surveys.insert(Survey {
            id,
            // A draft is nobody's business yet, so no event counts its version up.
            version: 1,
            code: self.code.clone(),
            display_name: self.display_name.clone(),
            kind: self.kind,
            state: SurveyState::Draft,
            revisions: vec![questionnaire],
            trigger,
            branches: self.branches.clone(),
            link_ttl_ms: self.link_ttl_ms,
            metric,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
        });
        Ok(Created(survey.clone()))
    }
}

fn with_defaults(mut rule: TriggerRule) -> TriggerRule {
    if rule.cancel_on.is_empty() {
        rule.cancel_on = vec![CaseEvent::Reopened, CaseEvent::Withdrawn];
    }
    rule
}

/// Starts a survey, or starts it again.
#[derive(Clone, Debug)]
pub struct ActivateSurvey {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The survey.
    pub id: SurveyId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Feedback> for ActivateSurvey {
    type Reply = Activated;

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<Activated, Stop<Refusal>> {
        let from = [SurveyState::Draft, SurveyState::Paused];
        let survey = step(world, cx, self.id, &self.scope, self.expected_version, &from, SurveyState::Active)?;
        let event = Event::SurveyActivated { survey: survey.id, kind: survey.kind, revision: survey.revision() };
        cx.emit(survey, event);
        Ok(Activated(survey.clone()))
    }
}

/// Stops the invitations of a survey.
#[derive(Clone, Debug)]
pub struct PauseSurvey {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The survey.
    pub id: SurveyId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Feedback> for PauseSurvey {
    type Reply = Paused;

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<Paused, Stop<Refusal>> {
        let from = [SurveyState::Active];
        let survey = step(world, cx, self.id, &self.scope, self.expected_version, &from, SurveyState::Paused)?;
        cx.emit(survey, Event::SurveyPaused(self.id));
        Ok(Paused(survey.clone()))
    }
}

/// Ends a survey.
#[derive(Clone, Debug)]
pub struct CloseSurvey {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The survey.
    pub id: SurveyId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Feedback> for CloseSurvey {
    type Reply = Closed;

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<Closed, Stop<Refusal>> {
        let from = [SurveyState::Active, SurveyState::Paused];
        let survey = step(world, cx, self.id, &self.scope, self.expected_version, &from, SurveyState::Closed)?;
        cx.emit(survey, Event::SurveyClosed(self.id));
        Ok(Closed(survey.clone()))
    }
}

/// Brings a survey within reach from one of `from` to `to`; its event is still to be told.
fn step<'a>(
    world: &'a mut Desk,
    cx: &mut Cx<'_, Feedback>,
    id: SurveyId,
    scope: &BranchScope,
    expected: Option<i64>,
    from: &[SurveyState],
    to: SurveyState,
) -> Result<&'a mut Survey, Stop<Refusal>> {
    let survey = match world.surveys.edit(id)? {
        Some(survey) if survey.is_within(scope) => survey,
        _ => refuse!(Refusal::SurveyNotFound),
    };
    check_version(expected, survey.version).map_err(Stop::Refused)?;
    ensure!(from.contains(&survey.state), Refusal::WrongState { state: survey.state });
    survey.state = to;
    survey.updated_at_us = cx.now_us;
    cx.settings_changed();
    Ok(survey)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use commit::Rehearsal;

    use super::*;
    use crate::domain::Settings;
    use crate::domain::question::tests::effort;

    pub(crate) fn create() -> CreateSurvey {
        CreateSurvey {
            scope: BranchScope::All,
            code: "effort".into(),
            display_name: "Effort".into(),
            kind: SurveyKind::Ces,
            questionnaire: effort(),
            trigger: Some(TriggerRule { on: CaseEvent::Resolved, delay_ms: 60_000, cancel_on: vec![] }),
            branches: vec![],
            link_ttl_ms: 3_600_000,
        }
    }

    fn stage() -> Rehearsal<Feedback> {
        Rehearsal::new(Settings::default(), 1_000)
    }

    #[test]
    fn a_survey_goes_through_its_states_and_not_back() {
        let mut stage = stage();
        let Created(survey) = stage.play(&create()).unwrap();
        assert_eq!((survey.state, survey.version, survey.revision()), (SurveyState::Draft, 1, 1));
        let (scope, id, expected_version) = (BranchScope::All, survey.id, None);
        let activate = ActivateSurvey { scope: scope.clone(), id, expected_version: Some(1) };
        let pause = PauseSurvey { scope: scope.clone(), id, expected_version };
        let close = CloseSurvey { scope, id, expected_version };
        assert_eq!(stage.play(&pause), Err(Refusal::WrongState { state: SurveyState::Draft }));
        assert_eq!(stage.play(&activate).unwrap().0.version, 2);
        assert_eq!(stage.play(&activate), Err(Refusal::VersionMismatch { current: 2 }));
        stage.play(&pause).unwrap();
        stage.play(&ActivateSurvey { expected_version, ..activate.clone() }).unwrap();
        assert_eq!(stage.play(&close).unwrap().0.state, SurveyState::Closed);
        let again = stage.play(&ActivateSurvey { expected_version, ..activate });
        assert_eq!(again, Err(Refusal::WrongState { state: SurveyState::Closed }));
        assert_eq!(stage.told().len(), 4);
    }

    #[test]
    fn work_on_a_case_calls_invitations_off_unless_something_else_is_said() {
        let Created(survey) = stage().play(&create()).unwrap();
        assert_eq!(survey.trigger.unwrap().cancel_on, [CaseEvent::Reopened, CaseEvent::Withdrawn]);
        let opened = TriggerRule { on: CaseEvent::Opened, delay_ms: 0, cancel_on: vec![] };
        let refused = stage().play(&CreateSurvey { trigger: Some(opened), ..create() });
        assert_eq!(refused, Err(Refusal::TriggerUnknown));
    }

    #[test]
    fn a_code_goes_once_and_branches_must_be_known_and_in_reach() {
        let mut stage = stage();
        stage.play(&create()).unwrap();
        assert_eq!(stage.play(&create()), Err(Refusal::SurveyCodeTaken));
        let branch = Uuid::from_u128(7);
        let here = CreateSurvey { code: "here".into(), branches: vec![branch], ..create() };
        assert_eq!(stage.play(&here), Err(Refusal::BranchUnknown));
        let local = BranchScope::only([branch]);
        let all = CreateSurvey { scope: local.clone(), code: "all".into(), ..create() };
        assert_eq!(stage.play(&all), Err(Refusal::BranchesExceedCaller));
        stage.play(&super::super::KeepBranch { id: branch, parent: None, closed: false }).unwrap();
        let Created(survey) = stage.play(&CreateSurvey { scope: local, ..here }).unwrap();
        let foreign = ActivateSurvey { scope: BranchScope::only([]), id: survey.id, expected_version: None };
        assert_eq!(stage.play(&foreign), Err(Refusal::SurveyNotFound));
    }
}

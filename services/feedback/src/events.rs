//! What feedback tells the others, and what it hears: events of the contract as domain events and as verbs. The names of
//! event types stand only here.

use ::events::Poison;
use commit::{DomainEvent, Effect, LogEvent};
use prost::Message;
use proto::karibu::feedback::v1 as wire;
use proto::karibu::organization::v1 as organization;
use proto::karibu::profile::v1 as profile;
use proto::karibu::ticketing::v1 as ticketing;
use proto::{EventPayload, timestamp_from_us};
use uuid::Uuid;

use crate::Feedback;
use crate::domain::{
    AnswerValue, BeginErasure, CaseEvent, CaseId, Cause, Event, Followed, Invitation, KeepBranch, Response,
};
use crate::grpc::wire as to;

const CUSTOMER_ERASED: &str = <profile::CustomerErased as EventPayload>::TYPE;
const BRANCH_CREATED: &str = <organization::BranchCreated as EventPayload>::TYPE;
const BRANCH_CLOSED: &str = <organization::BranchClosed as EventPayload>::TYPE;
const CASE_OPENED: &str = <ticketing::ComplaintOpened as EventPayload>::TYPE;
const CASE_RESOLVED: &str = <ticketing::ComplaintResolved as EventPayload>::TYPE;
const CASE_CLOSED: &str = <ticketing::ComplaintClosed as EventPayload>::TYPE;
const CASE_REOPENED: &str = <ticketing::ComplaintReopened as EventPayload>::TYPE;
const CASE_MERGED: &str = <ticketing::ComplaintMerged as EventPayload>::TYPE;
const CASE_MERGE_UNDONE: &str = <ticketing::ComplaintMergeUndone as EventPayload>::TYPE;
const CASE_WITHDRAWN: &str = <ticketing::ComplaintWithdrawn as EventPayload>::TYPE;

/// The full type of what happened to a case.
pub(crate) const fn type_of(event: CaseEvent) -> &'static str {
    match event {
        CaseEvent::Opened => CASE_OPENED,
        CaseEvent::Resolved => CASE_RESOLVED,
        CaseEvent::Closed => CASE_CLOSED,
        CaseEvent::Reopened => CASE_REOPENED,
        CaseEvent::Withdrawn => CASE_WITHDRAWN,
    }
}

/// What happened to a case, by its full type.
pub(crate) fn case_event(type_name: &str) -> Option<CaseEvent> {
    CaseEvent::ALL.into_iter().find(|event| type_of(*event) == type_name)
}

/// What an event of another service means here.
pub(crate) fn react(event: &LogEvent) -> Result<Option<Effect<Feedback>>, Poison> {
    let effect = match event.kind.as_str() {
        BRANCH_CREATED => {
            let payload: organization::BranchCreated = payload(event)?;
            let (id, parent) = (id(&payload.branch_id)?, maybe_id(&payload.parent_branch_id)?);
            Effect::of(KeepBranch { id, parent, closed: false })
        }
        BRANCH_CLOSED => {
            let payload: organization::BranchClosed = payload(event)?;
            Effect::of(KeepBranch { id: id(&payload.branch_id)?, parent: None, closed: true })
        }
        CUSTOMER_ERASED => {
            let payload: profile::CustomerErased = payload(event)?;
            Effect::of(BeginErasure { customer: id(&payload.customer_id)?, erasure: id(&payload.erasure_id)? })
        }
        // It goes on in another case, whose customer is asked there; undone, it is open again.
        CASE_MERGED => Effect::of(enveloped(event, CaseEvent::Withdrawn)),
        CASE_MERGE_UNDONE => Effect::of(enveloped(event, CaseEvent::Reopened)),
        other => match case_event(other) {
            Some(kind) => Effect::of(followed(event, kind)?),
            None => return Ok(None),
        },
    };
    Ok(Some(effect))
}

/// What the envelope alone says.
fn enveloped(event: &LogEvent, kind: CaseEvent) -> Followed {
    Followed {
        case: CaseId(event.aggregate_id),
        event: kind,
        customer: event.customer_id,
        branch: event.branch_id,
        cycle: None,
        occurred_at_us: event.occurred_at_us,
    }
}

fn followed(event: &LogEvent, kind: CaseEvent) -> Result<Followed, Poison> {
    // What the payload does not say, the envelope may.
    let mut followed = enveloped(event, kind);
    match kind {
        CaseEvent::Opened => {
            let payload: ticketing::ComplaintOpened = payload(event)?;
            followed.case = CaseId(id(&payload.complaint_id)?);
            followed.customer = maybe_id(&payload.customer_id)?.or(followed.customer);
            followed.branch = maybe_id(&payload.branch_id)?.or(followed.branch);
        }
        CaseEvent::Resolved => {
            let payload: ticketing::ComplaintResolved = payload(event)?;
            followed.case = CaseId(id(&payload.complaint_id)?);
            followed.customer = maybe_id(&payload.customer_id)?.or(followed.customer);
            followed.branch = maybe_id(&payload.branch_id)?.or(followed.branch);
            followed.cycle = Some(payload.resolution_count.into());
        }
        CaseEvent::Closed => {
            let payload: ticketing::ComplaintClosed = payload(event)?;
            followed.case = CaseId(id(&payload.complaint_id)?);
            followed.customer = maybe_id(&payload.customer_id)?.or(followed.customer);
            followed.branch = maybe_id(&payload.branch_id)?.or(followed.branch);
        }
        CaseEvent::Reopened => {
            let payload: ticketing::ComplaintReopened = payload(event)?;
            followed.case = CaseId(id(&payload.complaint_id)?);
            followed.cycle = Some(payload.resolution_count.into());
        }
        CaseEvent::Withdrawn => {
            let payload: ticketing::ComplaintWithdrawn = payload(event)?;
            followed.case = CaseId(id(&payload.complaint_id)?);
        }
    }
    Ok(followed)
}

fn payload<T: Message + Default>(event: &LogEvent) -> Result<T, Poison> {
    T::decode(event.payload.clone()).map_err(Poison::new)
}

fn id(text: &str) -> Result<Uuid, Poison> {
    text.parse().map_err(Poison::new)
}

fn maybe_id(text: &str) -> Result<Option<Uuid>, Poison> {
    if text.is_empty() { Ok(None) } else { id(text).map(Some) }
}

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::SurveyActivated { .. } => "survey.activated",
            Self::SurveyPaused(_) => "survey.paused",
            Self::SurveyClosed(_) => "survey.closed",
            Self::InvitationScheduled(_) => "invitation.scheduled",
            Self::InvitationSent(_) => "invitation.sent",
            Self::InvitationSuppressed { .. } => "invitation.suppressed",
            Self::InvitationCancelled { .. } => "invitation.cancelled",
            Self::InvitationExpired(_) => "invitation.expired",
            Self::ResponseCompleted { .. } => "response.completed",
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::SurveyActivated { survey, kind, revision } => wire::SurveyActivated {
                survey_id: survey.to_string(),
                kind: to::survey_kind(*kind).into(),
                revision: to::revision(*revision),
            }
            .encode_to_vec(),
            Self::SurveyPaused(id) => wire::SurveyPaused { survey_id: id.to_string() }.encode_to_vec(),
            Self::SurveyClosed(id) => wire::SurveyClosed { survey_id: id.to_string() }.encode_to_vec(),
            Self::InvitationScheduled(invitation) => scheduled(invitation).encode_to_vec(),
            Self::InvitationSent(invitation) => wire::InvitationSent {
                invitation_id: invitation.id.to_string(),
                survey_id: invitation.survey.to_string(),
                customer_id: invitation.customer.to_string(),
                expire_time: invitation.expires_at_us.map(timestamp_from_us),
            }
            .encode_to_vec(),
            Self::InvitationSuppressed { invitation, reason } => wire::InvitationSuppressed {
                invitation_id: invitation.id.to_string(),
                survey_id: invitation.survey.to_string(),
                customer_id: invitation.customer.to_string(),
                reason: to::suppress_reason(*reason).into(),
            }
            .encode_to_vec(),
            Self::InvitationCancelled { invitation, cause } => wire::InvitationCancelled {
                invitation_id: invitation.id.to_string(),
                survey_id: invitation.survey.to_string(),
                customer_id: invitation.customer.to_string(),
                event_type: cause_type(*cause).to_owned(),
            }
            .encode_to_vec(),
            Self::InvitationExpired(invitation) => wire::InvitationExpired {
                invitation_id: invitation.id.to_string(),
                survey_id: invitation.survey.to_string(),
                customer_id: invitation.customer.to_string(),
            }
            .encode_to_vec(),
            Self::ResponseCompleted { response, kind, occasion } => wire::ResponseCompleted {
                kind: to::survey_kind(*kind).into(),
                occasion: Some(to::occasion(occasion)),
                ..completed(response)
            }
            .encode_to_vec(),
        }
    }
}

fn cause_type(cause: Cause) -> &'static str {
    match cause {
        Cause::Case(event) => type_of(event),
        Cause::SurveyPaused => wire::SurveyPaused::TYPE,
        Cause::SurveyClosed => wire::SurveyClosed::TYPE,
        Cause::CustomerErased => CUSTOMER_ERASED,
    }
}

fn scheduled(invitation: &Invitation) -> wire::InvitationScheduled {
    wire::InvitationScheduled {
        invitation_id: invitation.id.to_string(),
        survey_id: invitation.survey.to_string(),
        customer_id: invitation.customer.to_string(),
        branch_id: to::text(invitation.branch),
        occasion: Some(to::occasion(&invitation.occasion)),
        schedule_time: Some(timestamp_from_us(invitation.scheduled_at_us)),
    }
}

/// Numbers and codes only: words stay here.
fn completed(response: &Response) -> wire::ResponseCompleted {
    let has_comment =
        response.answers.iter().any(|answer| matches!(&answer.value, AnswerValue::Text(text) if !text.is_empty()));
    wire::ResponseCompleted {
        response_id: response.id.to_string(),
        survey_id: response.survey.to_string(),
        survey_revision: to::revision(response.survey_revision),
        invitation_id: response.invitation.to_string(),
        customer_id: response.customer.to_string(),
        branch_id: to::text(response.branch),
        kind: 0,
        score: response.score,
        score_class: to::score_class(response.class).into(),
        contact_ok: response.contact_ok,
        has_comment,
        occasion: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn event<T: EventPayload>(payload: &T) -> LogEvent {
        LogEvent {
            seq: 1,
            event_id: Uuid::from_u128(1),
            kind: T::TYPE.to_owned(),
            aggregate_type: T::ENTITY.to_owned(),
            aggregate_id: Uuid::from_u128(9),
            aggregate_version: 1,
            branch_id: Some(Uuid::from_u128(3)),
            customer_id: Some(Uuid::from_u128(2)),
            occurred_at_us: 5,
            recorded_at_us: 6,
            trace_context: None,
            payload: payload.encode_to_vec().into(),
        }
    }

    #[test]
    fn the_envelope_fills_in_what_the_payload_does_not_say() {
        let complaint_id = Uuid::from_u128(9).to_string();
        let reopened = ticketing::ComplaintReopened { complaint_id, resolution_count: 2, ..Default::default() };
        let followed = followed(&event(&reopened), CaseEvent::Reopened).unwrap();
        assert_eq!((followed.customer, followed.branch), (Some(Uuid::from_u128(2)), Some(Uuid::from_u128(3))));
        assert_eq!((followed.cycle, followed.occurred_at_us), (Some(2), 5));
    }

    #[test]
    fn a_merged_case_waits_for_nobody_until_the_merge_is_undone() {
        assert!(matches!(react(&event(&ticketing::ComplaintMerged::default())), Ok(Some(_))));
        assert!(matches!(react(&event(&ticketing::ComplaintMergeUndone::default())), Ok(Some(_))));
        let ended = enveloped(&event(&ticketing::ComplaintMerged::default()), CaseEvent::Withdrawn);
        assert_eq!((ended.case, ended.event), (CaseId(Uuid::from_u128(9)), CaseEvent::Withdrawn));
    }

    #[test]
    fn foreign_events_mean_nothing_and_broken_ones_are_poison() {
        let promise = event(&ticketing::PromiseMade::default());
        assert!(matches!(react(&promise), Ok(None)));
        let broken =
            LogEvent { payload: b"\xff\xff".as_slice().into(), ..event(&ticketing::ComplaintClosed::default()) };
        assert!(react(&broken).is_err());
        assert!(react(&event(&ticketing::ComplaintClosed::default())).is_err(), "an id is missing");
    }

    #[test]
    fn the_words_of_a_customer_stay_here() {
        use crate::domain::{Answer, CaseEvent, Occasion, ResponseId, SurveyKind};
        let id = Uuid::from_u128(1);
        let response = Response {
            id: ResponseId(id),
            version: 1,
            survey: id.into(),
            survey_revision: 1,
            invitation: id.into(),
            customer: id,
            branch: None,
            answers: vec![Answer { question: "words".into(), value: AnswerValue::Text("murakoze".into()) }],
            score: None,
            class: None,
            contact_ok: false,
            erased_at_us: None,
            locale: "rw".into(),
            completed_at_us: 1,
            updated_at_us: 1,
        };
        let occasion = Occasion { event: CaseEvent::Resolved, case: id.into(), cycle: 1 };
        let bytes = Event::ResponseCompleted { response, kind: SurveyKind::Ces, occasion }.encode();
        assert!(!bytes.windows(8).any(|part| part == b"murakoze"));
        let told = wire::ResponseCompleted::decode(bytes.as_slice()).unwrap();
        assert!(told.has_comment && told.score.is_none());
        assert_eq!(told.kind(), wire::SurveyKind::Ces);
    }

    #[test]
    fn every_case_event_has_a_type_that_leads_back_to_it() {
        for known in CaseEvent::ALL {
            assert_eq!(case_event(type_of(known)), Some(known));
        }
        assert_eq!(case_event(BRANCH_CREATED), None);
    }
}

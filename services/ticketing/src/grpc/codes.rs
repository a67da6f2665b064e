//! The enums of the contract and those of the domain, which have the same values.

use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1 as types;

use crate::domain::care::EvidenceKind;
use crate::domain::class::{CaseKind, Confidentiality, LinkKind, Priority};
use crate::domain::code::Channel;
use crate::domain::complaint::{Decision, Severity, WaitingOn};
use crate::domain::ending::Ending;
use crate::domain::finding::FactStatus;
use crate::domain::follow_up::{FollowUpKind, FollowUpOutcome, FollowUpState};
use crate::domain::historical::CompanyResponse;
use crate::domain::interaction::{CueKind, Direction, Emotion};
use crate::domain::lifecycle::State;
use crate::domain::mandate::Period;
use crate::domain::proposal::{ChoiceMaker, ProposalKind};
use crate::domain::routing::{AskState, Trigger};
use crate::domain::sla::{ClockState, Metric, Reason, SlaState};
use crate::domain::template::Variant;

/// A value of the domain that the contract has a number for.
pub(crate) trait Coded: Copy {
    /// Its number in the contract.
    fn number(self) -> i32;
    /// The value with this number; `None` for unspecified ones and those that this program does not know.
    fn read(number: i32) -> Option<Self>;
}

macro_rules! coded {
    ($($domain:ident = $module:ident::$wire:ident { $($value:ident $(as $other:ident)?),+ $(,)? })+) => {$(
        impl Coded for $domain {
            fn number(self) -> i32 {
                match self { $(Self::$value => coded!($module::$wire, $value $($other)?) as i32),+ }
            }
            fn read(number: i32) -> Option<Self> {
                $(if number == coded!($module::$wire, $value $($other)?) as i32 { return Some(Self::$value); })+
                None
            }
        }
    )+};
    ($module:ident::$wire:ident, $value:ident) => { $module::$wire::$value };
    ($module:ident::$wire:ident, $value:ident $other:ident) => { $module::$wire::$other };
}

coded! {
    Channel = types::Channel {
        InPerson, Phone, Email, Web, App, Chat, Sms, Post, Fax, Social, Kiosk, Referral,
    }
    State = wire::ComplaintState {
        Received, Acknowledged, Understood, Investigating, Proposing, Offered, Fulfilling, Resolved, Closed, Withdrawn,
        Reclassified, Merged,
    }
    WaitingOn = wire::WaitingOn { Nobody as None, Customer, ThirdParty, Approval }
    Severity = wire::Severity { Critical, High, Medium, Low }
    Decision = wire::Decision { Upheld, PartlyUpheld, NotUpheld, Goodwill }
    FactStatus = wire::FactStatus { Established, Probable, Undetermined }
    ProposalKind = wire::ProposalKind {
        Replacement, Refund, Repair, Credit, Points, Explanation, Apology, Improvement, Other,
    }
    ChoiceMaker = wire::ChoiceMaker { Customer, Representative, AgentWithConsent }
    FollowUpKind = wire::FollowUpKind { Satisfaction, DeliveryCheck, PromiseCheck }
    FollowUpState = wire::FollowUpState { Scheduled, Due, DoneSatisfied, DoneUnsatisfied, NoContact, Cancelled }
    FollowUpOutcome = wire::FollowUpOutcome { Satisfied, Unsatisfied, NoContact }
    AskState = wire::AskState { Asked, Accepted, Declined, TimedOut }
    Trigger = wire::EscalationTrigger {
        Manual, CustomerRequest, SecondReopening, ThirdRound, NotAccepted, Breach, Grave, Hostile,
    }
    CueKind = wire::CueKind { Tone, Face, Body, Wording, Hostility }
    Emotion = wire::Emotion { Calm, Pleased, Confused, Disappointed, Anxious, Sad, Angry }
    Variant = wire::TemplateVariant { Warm, Terse }
    Period = wire::BudgetPeriod { Month, Year }
    CaseKind = wire::CaseKind { Complaint, Query, Request, Proactive, Praise }
    Priority = wire::Priority { Low, Normal, High, Urgent }
    Confidentiality = wire::Confidentiality { Nothing as None, Discreet, Hr }
    LinkKind = wire::LinkKind { Duplicate, Related, CausedBy, Parent }
    EvidenceKind = wire::EvidenceKind { Order, Document, Statement, Image, Log }
    Ending = wire::Outcome {
        Replaced, Repaired, MoneyReturned, Credited, GiftGiven, Explained, ExpectationCleared, Apologized,
        ProcessImproved, Referred, CauseUnknown, SeenDifferently,
    }
    Metric = wire::SlaMetric {
        Ack, FirstResponse, NextResponse, Update, Resolution, TeamResolution, RegulatoryAck, RegulatoryFinal,
    }
    ClockState = wire::ClockState { Running, Paused, Met, Cancelled }
    SlaState = wire::SlaState { Unwatched as None, OnTrack, AtRisk, Breached, Paused, Done }
    Reason = wire::ClockReason {
        Opened, Acknowledged, CustomerWrote, Answered, WaitBegan, WaitEnded, Assigned, Moved, TermsChanged, Resolved,
        Reopened, Ended,
    }
    Direction = wire::InteractionDirection { Inbound, Outbound, Internal }
    CompanyResponse = wire::CompanyResponse {
        ClosedWithExplanation, ClosedWithMonetaryRelief, ClosedWithNonMonetaryRelief, Closed, Untimely, InProgress,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The code under which a value is stored is its name in the contract without the prefix, which
    /// statistics and histories promise.
    macro_rules! same_names {
        ($($domain:ident = $module:ident::$wire:ident $prefix:literal)+) => {$(
            for value in $domain::ALL {
                let twin = $module::$wire::try_from(value.number()).unwrap();
                assert_eq!(twin.as_str_name(), format!("{}_{}", $prefix, value.code()));
                assert_eq!($domain::read(value.number()), Some(*value));
            }
            assert_eq!($domain::read(0), None);
        )+};
    }

    #[test]
    fn every_value_has_its_name_and_its_number_in_the_contract() {
        same_names! {
            Channel = types::Channel "CHANNEL"
            State = wire::ComplaintState "COMPLAINT_STATE"
            WaitingOn = wire::WaitingOn "WAITING_ON"
            Severity = wire::Severity "SEVERITY"
            Decision = wire::Decision "DECISION"
            FactStatus = wire::FactStatus "FACT_STATUS"
            ProposalKind = wire::ProposalKind "PROPOSAL_KIND"
            ChoiceMaker = wire::ChoiceMaker "CHOICE_MAKER"
            FollowUpKind = wire::FollowUpKind "FOLLOW_UP_KIND"
            FollowUpState = wire::FollowUpState "FOLLOW_UP_STATE"
            FollowUpOutcome = wire::FollowUpOutcome "FOLLOW_UP_OUTCOME"
            AskState = wire::AskState "ASK_STATE"
            Trigger = wire::EscalationTrigger "ESCALATION_TRIGGER"
            CueKind = wire::CueKind "CUE_KIND"
            Emotion = wire::Emotion "EMOTION"
            Variant = wire::TemplateVariant "TEMPLATE_VARIANT"
            Period = wire::BudgetPeriod "BUDGET_PERIOD"
            CaseKind = wire::CaseKind "CASE_KIND"
            Priority = wire::Priority "PRIORITY"
            Confidentiality = wire::Confidentiality "CONFIDENTIALITY"
            LinkKind = wire::LinkKind "LINK_KIND"
            EvidenceKind = wire::EvidenceKind "EVIDENCE_KIND"
            Ending = wire::Outcome "OUTCOME"
            Metric = wire::SlaMetric "SLA_METRIC"
            ClockState = wire::ClockState "CLOCK_STATE"
            SlaState = wire::SlaState "SLA_STATE"
            Reason = wire::ClockReason "CLOCK_REASON"
            Direction = wire::InteractionDirection "INTERACTION_DIRECTION"
            CompanyResponse = wire::CompanyResponse "COMPANY_RESPONSE"
        }
    }
}

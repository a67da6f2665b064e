//! The life of a complaint: its states, the commands, and the one table that says which command fits
//! which state and where it leads. What else a command demands stands in its verb.

use super::code::codes;

codes! {
    /// Where a complaint stands.
    pub enum State {
        /// It came in.
        Received = "RECEIVED",
        /// The customer knows that we have it.
        Acknowledged = "ACKNOWLEDGED",
        /// Our words for it were confirmed, or it is on record why not.
        Understood = "UNDERSTOOD",
        /// We look for the cause.
        Investigating = "INVESTIGATING",
        /// A cause is on record; we look for solutions.
        Proposing = "PROPOSING",
        /// The customer has solutions to choose from.
        Offered = "OFFERED",
        /// The customer chose; we do what we promised.
        Fulfilling = "FULFILLING",
        /// It is done; a follow-up is due, and it can be reopened.
        Resolved = "RESOLVED",
        /// It is over and does not change any more.
        Closed = "CLOSED",
        /// The customer withdrew it.
        Withdrawn = "WITHDRAWN",
        /// It is another kind of case, and goes on as such elsewhere.
        Reclassified = "RECLASSIFIED",
        /// It was merged into another one, which goes on for both.
        Merged = "MERGED",
    }

    /// What people may ask of a complaint that is there. The names are those of the verbs in the HTTP form
    /// of the contract.
    pub enum Command {
        /// Tell the customer that we have it.
        Acknowledge = "acknowledge",
        /// Put our words for it on record.
        ConfirmUnderstanding = "confirmUnderstanding",
        /// Give it an owner.
        Assign = "assign",
        /// Begin to look for the cause.
        StartInvestigation = "startInvestigation",
        /// Put on record what was found out.
        RecordFinding = "recordFinding",
        /// Offer solutions.
        OfferProposals = "offerProposals",
        /// Record which solution the customer chose.
        ChooseProposal = "chooseProposal",
        /// Record that a promise was kept.
        KeepPromise = "keepPromise",
        /// End the work on it.
        Resolve = "resolve",
        /// End it for good.
        Close = "close",
        /// Take it up again.
        Reopen = "reopen",
        /// End it at the customer's wish.
        Withdraw = "withdraw",
        /// Put words on record.
        AddInteraction = "addInteraction",
        /// Record what came of a follow-up.
        CompleteFollowUp = "completeFollowUp",
        /// Do everything at once, at the counter.
        FastTrack = "fastTrack",
        /// Say for whom it waits.
        SetWaiting = "setWaiting",
        /// Say how soon it is taken up.
        SetPriority = "setPriority",
        /// Ask the customer something in order to understand.
        AskQuestion = "askQuestion",
        /// Record what the customer answered.
        RecordAnswer = "recordAnswer",
        /// Record that we said we see how the customer feels.
        ShowEmpathy = "showEmpathy",
        /// Record that we said we are sorry.
        Apologize = "apologize",
        /// Add something that shows what happened.
        AddEvidence = "addEvidence",
        /// Record what it means for the customer.
        RecordImpact = "recordImpact",
        /// Say that it is another kind of case.
        Reclassify = "reclassify",
        /// Open a new case that came out of it.
        OpenFollowOn = "openFollowOn",
        /// Agree to what somebody else may not promise alone.
        ApproveProposals = "approveProposals",
        /// Not agree to it.
        DeclineProposals = "declineProposals",
        /// Record that the customer takes none of the solutions.
        CounterProposals = "counterProposals",
        /// Say that we will do something.
        MakePromise = "makePromise",
        /// Record that the customer lets us off a promise.
        WaivePromise = "waivePromise",
        /// Take back what was given.
        ReverseCompensation = "reverseCompensation",
        /// Ask somebody who may and fits to take it.
        Route = "route",
        /// Say whether one takes it.
        AnswerAsk = "answerAsk",
        /// Let somebody else deal with it.
        StepBack = "stepBack",
        /// Say who must not work on it.
        Recuse = "recuse",
        /// Take it to a higher place.
        Escalate = "escalate",
        /// Take it over at the higher place.
        AcceptEscalation = "acceptEscalation",
        /// Let it go on in another one.
        Merge = "merge",
        /// Let it go on by itself again.
        UndoMerge = "undoMerge",
        /// Say that another one belongs to it.
        Link = "link",
        /// Let another branch handle it.
        Transfer = "transfer",
    }
}

impl State {
    /// Whether we still owe the customer something: everything before `Resolved`.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Resolved) && !self.is_over()
    }

    /// Whether it does not change any more.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn | Self::Reclassified | Self::Merged)
    }

    /// Whether it came in and its cause is not looked for yet.
    pub const fn is_early(self) -> bool {
        matches!(self, Self::Received | Self::Acknowledged | Self::Understood)
    }

    /// Where `command` leads from here; `None` when it does not fit.
    pub const fn after(self, command: Command) -> Option<Self> {
        use Command as C;
        Some(match (self, command) {
            (Self::Received, C::Acknowledge) => Self::Acknowledged,
            (Self::Acknowledged, C::ConfirmUnderstanding) => Self::Understood,
            (Self::Understood, C::StartInvestigation) => Self::Investigating,
            (Self::Investigating | Self::Proposing, C::RecordFinding) => Self::Proposing,
            // A second set takes the place of one that was not chosen, for example because it expired.
            (Self::Proposing | Self::Offered, C::OfferProposals) => Self::Offered,
            (Self::Offered, C::ChooseProposal) => Self::Fulfilling,
            (Self::Proposing, C::ApproveProposals) => Self::Offered,
            (Self::Proposing, C::DeclineProposals) => self,
            (Self::Offered, C::CounterProposals) => Self::Proposing,
            (Self::Fulfilling | Self::Resolved, C::ReverseCompensation) => self,
            (Self::Fulfilling, C::Resolve) => Self::Resolved,
            (Self::Resolved, C::Close) => Self::Closed,
            (Self::Resolved, C::Reopen) => Self::Investigating,
            (Self::Resolved, C::CompleteFollowUp | C::Assign | C::AddInteraction) => self,
            // What came out of a case that is over is a case of its own; the old one stays as it is.
            (Self::Resolved | Self::Closed | Self::Withdrawn, C::OpenFollowOn) => self,
            (Self::Resolved, C::Apologize | C::ShowEmpathy) => self,
            (early, C::FastTrack) if early.is_early() => Self::Resolved,
            (early, C::Reclassify) if early.is_early() => Self::Reclassified,
            (open, C::Withdraw) if open.is_open() => Self::Withdrawn,
            (open, C::Assign | C::AddInteraction | C::SetWaiting | C::SetPriority) if open.is_open() => open,
            (open, C::AskQuestion | C::RecordAnswer | C::ShowEmpathy | C::Apologize) if open.is_open() => open,
            // A merge that is undone leads back to where it stood, which its record knows.
            (Self::Merged, C::UndoMerge) => self,
            (open, C::Merge) if open.is_open() => Self::Merged,
            (Self::Resolved, C::Link) => self,
            (open, C::Transfer) if open.is_open() => open,
            (open, C::Route | C::AnswerAsk | C::StepBack | C::Recuse | C::Link) if open.is_open() => open,
            (open, C::Escalate | C::AcceptEscalation) if open.is_open() => open,
            (open, C::AddEvidence | C::RecordImpact) if open.is_open() => open,
            (open, C::MakePromise | C::KeepPromise | C::WaivePromise) if open.is_open() => open,
            _ => return None,
        })
    }

    /// The commands that fit here, in the order of a complaint's life.
    pub fn allowed(self) -> impl Iterator<Item = Command> {
        Command::ALL.iter().copied().filter(move |command| self.after(*command).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_values() {
        for state in State::ALL {
            assert_eq!(State::find(state.code()), Some(*state));
        }
        assert_eq!(State::find("LOST"), None);
    }

    #[test]
    fn a30_what_is_over_stays_over() {
        for state in State::ALL.iter().filter(|state| state.is_over()) {
            for command in state.allowed() {
                assert!(matches!(command, Command::OpenFollowOn | Command::UndoMerge), "{command:?}");
                assert_eq!(state.after(command), Some(*state));
            }
        }
    }

    #[test]
    fn every_state_but_the_ends_can_be_left_and_every_state_but_the_first_is_reached() {
        for state in State::ALL {
            let leaves = state.allowed().any(|command| state.after(command) != Some(*state));
            assert_eq!(leaves, !state.is_over(), "{state:?}");
            let reached = State::ALL
                .iter()
                .any(|from| from != state && from.allowed().any(|command| from.after(command) == Some(*state)));
            assert_eq!(reached, *state != State::Received, "{state:?}");
        }
    }
}

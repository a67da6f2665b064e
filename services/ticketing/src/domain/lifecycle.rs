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
    }
}

impl State {
    /// Whether we still owe the customer something: everything before `Resolved`.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Closed | Self::Withdrawn)
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
            // A failed compensation leads back to `Proposing`, with promises that can still be kept.
            (Self::Proposing | Self::Offered | Self::Fulfilling, C::KeepPromise) => self,
            (Self::Fulfilling, C::Resolve) => Self::Resolved,
            (Self::Resolved, C::Close) => Self::Closed,
            (Self::Resolved, C::Reopen) => Self::Investigating,
            (Self::Resolved, C::CompleteFollowUp | C::Assign | C::AddInteraction) => self,
            (open, C::Withdraw) if open.is_open() => Self::Withdrawn,
            (open, C::Assign | C::AddInteraction) if open.is_open() => open,
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
    fn what_is_over_stays_over() {
        assert_eq!(State::Closed.allowed().count(), 0);
        assert_eq!(State::Withdrawn.allowed().count(), 0);
    }

    #[test]
    fn every_state_but_the_ends_can_be_left_and_every_state_but_the_first_is_reached() {
        for state in State::ALL {
            let leaves = state.allowed().any(|command| state.after(command) != Some(*state));
            assert_eq!(leaves, !matches!(state, State::Closed | State::Withdrawn), "{state:?}");
            let reached = State::ALL
                .iter()
                .any(|from| from != state && from.allowed().any(|command| from.after(command) == Some(*state)));
            assert_eq!(reached, *state != State::Received, "{state:?}");
        }
    }
}

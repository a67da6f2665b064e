//! Endings: what came of a case for the customer, a closed set. None of them says that the customer was at
//! fault; a test holds the whole set against the words that blame.

use super::code::codes;
use super::complaint::Decision;
use super::proposal::ProposalKind;

codes! {
    /// What came of a case for the customer.
    pub enum Ending {
        /// The customer has the right or a sound article.
        Replaced = "REPLACED",
        /// It was repaired or done again.
        Repaired = "REPAIRED",
        /// The customer has the money back.
        MoneyReturned = "MONEY_RETURNED",
        /// The customer has a voucher, a discount or points.
        Credited = "CREDITED",
        /// The customer has a gift.
        GiftGiven = "GIFT_GIVEN",
        /// We explained what happened.
        Explained = "EXPLAINED",
        /// What we had promised was unclear; it is clear now.
        ExpectationCleared = "EXPECTATION_CLEARED",
        /// We said that we are sorry.
        Apologized = "APOLOGIZED",
        /// We work differently from now on.
        ProcessImproved = "PROCESS_IMPROVED",
        /// Somebody else helps, and the customer knows who.
        Referred = "REFERRED",
        /// We could not find out what happened, and said so.
        CauseUnknown = "CAUSE_UNKNOWN",
        /// We see it differently, and said why with respect.
        SeenDifferently = "SEEN_DIFFERENTLY",
    }
}

impl Ending {
    /// What came of a case that nobody said it of: what was decided, else the chosen solution.
    pub const fn of(decision: Decision, chosen: Option<ProposalKind>) -> Self {
        match (decision, chosen) {
            (Decision::NotUpheld, _) => Self::SeenDifferently,
            (_, Some(ProposalKind::Replacement)) => Self::Replaced,
            (_, Some(ProposalKind::Refund)) => Self::MoneyReturned,
            (_, Some(ProposalKind::Repair)) => Self::Repaired,
            (_, Some(ProposalKind::Credit | ProposalKind::Points)) => Self::Credited,
            (_, Some(ProposalKind::Apology)) => Self::Apologized,
            (_, Some(ProposalKind::Improvement)) => Self::ProcessImproved,
            (_, Some(ProposalKind::Explanation | ProposalKind::Other) | None) => Self::Explained,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plain_language::blaming;

    #[test]
    fn a94_no_outcome_code_blames_the_customer() {
        let codes = Ending::ALL.iter().map(|ending| ending.code()).chain(Decision::ALL.iter().map(|code| code.code()));
        for code in codes {
            assert_eq!(blaming(&code.replace('_', " ")), None, "{code}");
            for word in ["FAULT", "BLAME", "CUSTOMER_ERROR", "USER_ERROR", "MISUSE", "ABUSE", "UNFOUNDED", "FALSE"] {
                assert!(!code.contains(word), "{code}");
            }
        }
    }
}

//! The certificate of an erasure in the words of the contract: what goes, and what stays on which basis.

use commit::Answer;
use proto::karibu::profile::v1 as pb;
use proto::timestamp_from_us;

use crate::domain::Erased;

/// Every kind of data that the services hold of a customer: service, kind, what becomes of it, and the basis on which
/// it stays.
const PARTS: [(&str, &str, pb::ErasureOutcome, &str); 12] = {
    use pb::ErasureOutcome::{Anonymized, Erased, Retained};
    [
        ("profile", "identity", Erased, ""),
        ("profile", "handles", Erased, ""),
        ("profile", "tags", Erased, ""),
        ("profile", "purchases", Retained, "accounting"),
        ("profile", "visits", Anonymized, ""),
        ("profile", "timeline", Anonymized, ""),
        ("ticketing", "words", Erased, ""),
        ("ticketing", "complaints", Anonymized, ""),
        ("feedback", "answers", Erased, ""),
        ("feedback", "scores", Anonymized, ""),
        ("loyalty", "card", Erased, ""),
        ("loyalty", "ledger", Retained, "accounting"),
    ]
};

impl Answer for Erased {
    type Wire = pb::EraseCustomerResponse;

    fn to_wire(&self) -> pb::EraseCustomerResponse {
        let asked = &self.forgetting;
        let state = match asked.completed_at_us {
            Some(_) => pb::ErasureState::Completed,
            None => pb::ErasureState::Held,
        };
        let part = |(service, part, outcome, basis): &(&str, &str, pb::ErasureOutcome, &str)| pb::ErasedPart {
            service: (*service).to_owned(),
            part: (*part).to_owned(),
            outcome: (*outcome).into(),
            basis_code: (*basis).to_owned(),
        };
        pb::EraseCustomerResponse {
            certificate: Some(pb::ErasureCertificate {
                erasure_id: asked.erasure.to_string(),
                customer_id: asked.customer.to_string(),
                state: state.into(),
                reason_code: asked.reason_code.clone(),
                request_time: Some(timestamp_from_us(asked.requested_at_us)),
                complete_time: asked.completed_at_us.map(timestamp_from_us),
                holding_complaint_ids: self.holding.iter().map(ToString::to_string).collect(),
                parts: PARTS.iter().map(part).collect(),
            }),
        }
    }
}

//! Fields of requests as domain types. Requests were validated before.

use proto::karibu::loyalty::v1 as pb;
pub(super) use server::field::{expected_version, id, maybe_id};
use server::status;
use tonic::Status;

use crate::domain::{AccountKind, EarnRule, ProgramChange, ReturnPolicy, Rounding, Terms};

/// Who shares an account; unspecified means one person.
pub(super) const fn account_kind(kind: pb::AccountKind) -> AccountKind {
    match kind {
        pb::AccountKind::Unspecified | pb::AccountKind::Person => AccountKind::Person,
        pb::AccountKind::Household => AccountKind::Household,
        pb::AccountKind::Organization => AccountKind::Organization,
    }
}

/// The terms of a new programme.
pub(super) fn terms(request: &pb::CreateProgramRequest) -> Result<Terms, Status> {
    lasting(request.expiry, request.activation_delay)?;
    Ok(Terms {
        display_name: request.display_name.clone(),
        unit_label: request.unit_label.clone(),
        earn_rules: earn_rules(&request.earn_rules)?,
        rounding: rounding(request.rounding()),
        return_policy: return_policy(request.return_policy()),
        auto_enrol: request.auto_enrol,
        goodwill_max_points: request.goodwill_max_points,
        default_time_zone: request.default_time_zone.clone(),
    })
}

/// What an update changes: only fields that the mask names.
pub(super) fn change(request: &pb::UpdateProgramRequest) -> Result<ProgramChange, Status> {
    let paths = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
    let is_chosen = |field: &str| paths.iter().any(|path| path == "*" || path == field);
    if is_chosen("display_name") && request.display_name.is_empty() {
        return Err(status::invalid([("display_name", "must be given")]));
    }
    if is_chosen("earn_rules") && request.earn_rules.is_empty() {
        return Err(status::invalid([("earn_rules", "must be given")]));
    }
    lasting(
        request.expiry.filter(|_| is_chosen("expiry")),
        request.activation_delay.filter(|_| is_chosen("activation_delay")),
    )?;
    let rules = is_chosen("earn_rules").then(|| earn_rules(&request.earn_rules)).transpose()?;
    Ok(ProgramChange {
        display_name: is_chosen("display_name").then(|| request.display_name.clone()),
        earn_rules: rules,
        rounding: is_chosen("rounding").then(|| rounding(request.rounding())),
        return_policy: is_chosen("return_policy").then(|| return_policy(request.return_policy())),
        auto_enrol: is_chosen("auto_enrol").then_some(request.auto_enrol),
        goodwill_max_points: is_chosen("goodwill_max_points").then_some(request.goodwill_max_points),
    })
}

/// Points last for ever and can be spent at once: anything else is refused, so that nobody relies on an end that does
/// not come.
fn lasting(expiry: Option<pb::ExpiryPolicy>, delay: Option<prost_types::Duration>) -> Result<(), Status> {
    let kind = expiry.map(|expiry| expiry.kind()).unwrap_or_default();
    if !matches!(kind, pb::ExpiryKind::Unspecified | pb::ExpiryKind::Never) {
        return Err(status::invalid([("expiry.kind", "points that end are not offered yet")]));
    }
    if delay.is_some_and(|delay| (delay.seconds, delay.nanos) != (0, 0)) {
        return Err(status::invalid([("activation_delay", "points that wait are not offered yet")]));
    }
    Ok(())
}

fn earn_rules(rules: &[pb::EarnRule]) -> Result<Vec<EarnRule>, Status> {
    let read = |(at, rule): (usize, &pb::EarnRule)| {
        let currency = rule
            .currency_code
            .parse()
            .map_err(|_| status::invalid([(format!("earn_rules[{at}].currency_code"), "is not in ISO 4217")]))?;
        Ok(EarnRule { currency, points: rule.points, per_minor_units: rule.per_minor_units })
    };
    rules.iter().enumerate().map(read).collect()
}

const fn rounding(rounding: pb::Rounding) -> Rounding {
    match rounding {
        pb::Rounding::Unspecified | pb::Rounding::Floor => Rounding::Floor,
        pb::Rounding::CarryRemainder => Rounding::CarryRemainder,
    }
}

const fn return_policy(policy: pb::ReturnPolicy) -> ReturnPolicy {
    match policy {
        pb::ReturnPolicy::Unspecified | pb::ReturnPolicy::Debt => ReturnPolicy::Debt,
        pb::ReturnPolicy::WithinBalance => ReturnPolicy::WithinBalance,
        pb::ReturnPolicy::OnlyPending => ReturnPolicy::OnlyPending,
    }
}

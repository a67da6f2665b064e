//! Fields of requests as domain types. Field rules were checked before; what is checked here needs two
//! fields, or a calendar.

use jiff::civil::Date;
use kernel::{Money, Points};
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1 as types;
use server::auth::Principal;
pub(super) use server::field::{id, instant, maybe_id};
use server::{field, status};
use tonic::Status;

use super::codes::Coded;
use crate::domain::Case;
use crate::domain::care::Impact;
use crate::domain::compensation::{Authority, Good, Terms};
use crate::domain::proposal::Solution;

/// What is wrong with a field: its path and a sentence.
pub(super) type Fault = (String, &'static str);

/// A text; empty means none.
pub(super) fn optional_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A value that validation has found to be there.
pub(super) fn required<C: Coded>(number: i32, field: &'static str) -> Result<C, Status> {
    C::read(number).ok_or_else(|| status::invalid([(field, "must be given")]))
}

/// The complaint that a command is about, in the name of its caller.
pub(super) fn case(principal: &Principal, complaint_id: &str, etag: &str) -> Case {
    Case {
        complaint: id(complaint_id),
        scope: principal.scope.clone(),
        expected_version: field::expected_version(etag),
    }
}

/// How much the caller may promise.
pub(super) fn authority(principal: &Principal) -> Authority {
    if principal.may(proto::Permission::CompensationApprove) { Authority::Approver } else { Authority::Limited }
}

fn money(money: &types::Money, field: String) -> Result<Money, Fault> {
    Money::try_from(money).map_err(|_| (field, "must be in a currency of ISO 4217"))
}

fn terms(terms: &wire::CompensationTerms, field: &str) -> Result<Terms, Fault> {
    use wire::compensation_terms::Value;
    let good = match terms.kind() {
        wire::CompensationKind::Refund => Some(Good::Refund),
        wire::CompensationKind::Voucher => Some(Good::Voucher),
        wire::CompensationKind::Discount => Some(Good::Discount),
        wire::CompensationKind::Gift => Some(Good::Gift),
        wire::CompensationKind::Points | wire::CompensationKind::Unspecified => None,
    };
    match (good, &terms.value) {
        (None, Some(Value::Points(points))) => Ok(Terms::Points(Points(*points))),
        (Some(good), Some(Value::Amount(amount))) => {
            Ok(Terms::Worth { good, amount: money(amount, format!("{field}.amount"))? })
        }
        (None, _) => Err((format!("{field}.points"), "must be given for points, and no amount")),
        (Some(_), _) => Err((format!("{field}.amount"), "must be given for anything but points, and no points")),
    }
}

/// Solutions to offer.
pub(super) fn solutions(inputs: Vec<wire::ProposalInput>) -> Result<Vec<Solution>, Fault> {
    inputs.into_iter().enumerate().map(|(place, input)| solution(&format!("proposals[{place}]"), input)).collect()
}

/// A solution that stands in `place` of a request.
pub(super) fn solution(place: &str, input: wire::ProposalInput) -> Result<Solution, Fault> {
    let at = |field| format!("{place}.{field}");
    let cost = input.cost.as_ref().map(|cost| money(cost, at("cost"))).transpose()?;
    let compensation = input.compensation.as_ref().map(|given| terms(given, &at("compensation"))).transpose()?;
    Ok(Solution {
        kind: Coded::read(input.kind).ok_or_else(|| (at("kind"), "must be given"))?,
        description: input.description,
        cost,
        compensation,
        fulfil_by_us: instant(input.fulfil_by_time.as_ref()),
    })
}

/// What a matter means for the customer.
pub(super) fn impact(impact: wire::Impact) -> Result<Impact, Fault> {
    Ok(Impact {
        money: impact.money.as_ref().map(|lost| money(lost, "impact.money".to_owned())).transpose()?,
        occasion: impact.occasion,
        safety: impact.safety,
        vulnerable: impact.vulnerable,
        repeat_of: maybe_id(&impact.repeat_of_complaint_id),
    })
}

/// A day of the calendar.
pub(super) fn date(date: &types::LocalDate, field: &str) -> Result<Date, Fault> {
    let parts = (i16::try_from(date.year), i8::try_from(date.month), i8::try_from(date.day));
    let (Ok(year), Ok(month), Ok(day)) = parts else { return Err((field.to_owned(), "must be a day")) };
    Date::new(year, month, day).map_err(|_| (field.to_owned(), "must be a day of the calendar"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: wire::CompensationKind, value: Option<wire::compensation_terms::Value>) -> wire::CompensationTerms {
        wire::CompensationTerms { kind: kind.into(), value }
    }

    #[test]
    fn points_have_points_and_all_else_has_money() {
        use wire::CompensationKind as K;
        use wire::compensation_terms::Value;
        let points = || Some(Value::Points(5));
        let amount = |code: &str| Some(Value::Amount(types::Money { currency_code: code.to_owned(), minor_units: 5 }));
        for (kind, value, fault) in [
            (K::Points, points(), None),
            (K::Points, amount("RWF"), Some("t.points")),
            (K::Points, None, Some("t.points")),
            (K::Gift, amount("RWF"), None),
            (K::Gift, amount("XYZ"), Some("t.amount")),
            (K::Gift, points(), Some("t.amount")),
        ] {
            let read = terms(&given(kind, value), "t");
            assert_eq!(read.err().map(|(field, _)| field).as_deref(), fault, "{kind:?}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (year, month, day, fits) in [(2024, 2, 29, true), (2023, 2, 29, false), (2023, 13, 1, false)] {
            assert_eq!(date(&types::LocalDate { year, month, day }, "d").is_ok(), fits);
        }
    }
}

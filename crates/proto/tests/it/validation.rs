//! What a rule of a field means, seen from requests.

use proto::karibu::feedback::v1::{CreateSurveyRequest, SubmitResponseRequest};
use proto::karibu::loyalty::v1::{AdjustPointsRequest, UpdateProgramRequest};
use proto::karibu::organization::v1::{BranchKind, CreateBranchRequest, ListBranchesRequest};
use proto::karibu::profile::v1::{
    BatchRecordPurchasesRequest, Identifier, LookupCustomerRequest, PurchaseInput, PurchaseLine, RecordPurchaseRequest,
    purchase_input,
};
use proto::karibu::ticketing::v1::{CompensationKind, CompensationTerms, OfferProposalsRequest, ProposalInput};
use proto::{Validate, timestamp_from_us};

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// What is wrong, as `field REASON`.
fn wrong(request: &impl Validate) -> Vec<String> {
    request
        .validate()
        .err()
        .unwrap_or_default()
        .into_iter()
        .map(|violation| format!("{} {}", violation.field, violation.reason))
        .collect()
}

fn branch() -> CreateBranchRequest {
    CreateBranchRequest {
        request_id: "a-1".into(),
        code: "KGL-1".into(),
        display_name: "Kigali Heights".into(),
        parent_branch_id: ID.into(),
        kind: BranchKind::Branch.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        locale: "rw".into(),
    }
}

fn purchase() -> PurchaseInput {
    PurchaseInput {
        source_system: "till".into(),
        source_ref: "R-1".into(),
        branch_id: ID.into(),
        customer: Some(purchase_input::Customer::CustomerId(ID.into())),
        kind: 1,
        occur_time: Some(timestamp_from_us(1)),
        currency_code: "RWF".into(),
        lines: vec![PurchaseLine { sku: "milk".into(), quantity: 2, unit_amount_minor: 1200, ..Default::default() }],
        ..Default::default()
    }
}

#[test]
fn a_good_request_passes() {
    assert_eq!(branch().validate(), Ok(()));
    assert_eq!(RecordPurchaseRequest { request_id: String::new(), purchase: Some(purchase()) }.validate(), Ok(()));
}

#[test]
fn an_empty_request_lists_all_that_is_required() {
    assert_eq!(
        wrong(&CreateBranchRequest::default()),
        ["code REQUIRED", "display_name REQUIRED", "kind REQUIRED", "time_zone REQUIRED", "currency_code REQUIRED",]
    );
}

#[test]
fn texts_are_checked() {
    type Change = fn(&mut CreateBranchRequest);
    let table: [(Change, &str); 17] = [
        (|r| r.request_id = "a b".into(), "request_id WRONG_FORM"),
        (|r| r.request_id = "a".repeat(65), "request_id WRONG_FORM"),
        (|r| r.code = "-KGL".into(), "code WRONG_FORM"),
        (|r| r.code = "KGL 1".into(), "code WRONG_FORM"),
        (|r| r.display_name = "é".repeat(120), ""),
        (|r| r.display_name = "é".repeat(121), "display_name TOO_LONG"),
        (|r| r.display_name = "a\0b".into(), "display_name WRONG_FORM"),
        (|r| r.parent_branch_id = String::new(), ""),
        (|r| r.parent_branch_id = "0190163d8694739baea5966c26f8ad91".into(), "parent_branch_id NOT_A_UUID"),
        (|r| r.parent_branch_id = format!("{{{ID}}}"), "parent_branch_id NOT_A_UUID"),
        (|r| r.kind = 99, "kind UNKNOWN_VALUE"),
        (|r| r.time_zone = "../etc/passwd".into(), "time_zone WRONG_FORM"),
        (|r| r.time_zone = "Etc/GMT+3".into(), ""),
        (|r| r.currency_code = "rwf".into(), "currency_code WRONG_FORM"),
        (|r| r.locale = "fr-RW".into(), ""),
        (|r| r.locale = "french".into(), "locale WRONG_FORM"),
        (|r| r.locale = "fr--RW".into(), "locale WRONG_FORM"),
    ];
    for (index, (change, expected)) in table.into_iter().enumerate() {
        let mut request = branch();
        change(&mut request);
        let expected: Vec<&str> = if expected.is_empty() { vec![] } else { vec![expected] };
        assert_eq!(wrong(&request), expected, "row {index}: {request:?}");
    }
}

#[test]
fn numbers_are_checked() {
    let adjust = |points| AdjustPointsRequest {
        account_id: ID.into(),
        points,
        reason_code: "error".into(),
        branch_id: ID.into(),
        ..Default::default()
    };
    assert_eq!(wrong(&adjust(0)), ["points REQUIRED"]);
    assert_eq!(wrong(&adjust(-1_000_000_001)), ["points TOO_SMALL"]);
    assert_eq!(wrong(&adjust(1_000_000_001)), ["points TOO_GREAT"]);
    assert!(wrong(&adjust(-500)).is_empty());
    assert_eq!(wrong(&ListBranchesRequest { page_size: -1, ..Default::default() }), ["page_size TOO_SMALL"]);
    assert!(wrong(&ListBranchesRequest { page_size: i32::MAX, ..Default::default() }).is_empty());
}

#[test]
fn what_is_inside_is_named_by_its_path() {
    let mut purchase = purchase();
    purchase.lines.push(PurchaseLine { sku: "tea".into(), ..Default::default() });
    purchase.occur_time = Some(prost_types::Timestamp { seconds: 0, nanos: -1 });
    purchase.customer = Some(purchase_input::Customer::Identifier(Identifier::default()));
    let request = RecordPurchaseRequest { request_id: String::new(), purchase: Some(purchase) };
    assert_eq!(
        wrong(&request),
        [
            "purchase.occur_time INVALID_TIME",
            "purchase.lines[1].quantity REQUIRED",
            "purchase.identifier.type REQUIRED",
            "purchase.identifier.value REQUIRED",
        ]
    );
    assert_eq!(wrong(&RecordPurchaseRequest::default()), ["purchase REQUIRED"]);
}

#[test]
fn items_that_are_checked_apart_do_not_spoil_the_batch() {
    let batch = |purchases| BatchRecordPurchasesRequest { request_id: String::new(), purchases };
    assert!(wrong(&batch(vec![PurchaseInput::default(), purchase()])).is_empty());
    assert!(!wrong(&PurchaseInput::default()).is_empty());
    assert_eq!(wrong(&batch(vec![])), ["purchases REQUIRED"]);
    assert_eq!(wrong(&batch(vec![purchase(); 501])), ["purchases TOO_MANY"]);
}

#[test]
fn a_required_choice_must_be_made() {
    let offer = |value| OfferProposalsRequest {
        complaint_id: ID.into(),
        proposals: vec![ProposalInput {
            kind: 1,
            description: "A new one".into(),
            compensation: Some(CompensationTerms { kind: CompensationKind::Points.into(), value }),
            ..Default::default()
        }],
        ..Default::default()
    };
    use proto::karibu::ticketing::v1::compensation_terms::Value;
    assert_eq!(wrong(&offer(None)), ["proposals[0].compensation.value REQUIRED"]);
    assert_eq!(wrong(&offer(Some(Value::Points(0)))), ["proposals[0].compensation.points REQUIRED"]);
    assert!(wrong(&offer(Some(Value::Points(500)))).is_empty());
}

#[test]
fn a_mask_names_fields_of_its_request() {
    let update = |paths: &[&str]| UpdateProgramRequest {
        program_id: ID.into(),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        ..Default::default()
    };
    assert!(wrong(&update(&["*"])).is_empty());
    assert!(wrong(&update(&["display_name", "earn_rules"])).is_empty());
    assert_eq!(wrong(&update(&[])), ["update_mask REQUIRED"]);
    assert_eq!(wrong(&update(&["program_id"])), ["update_mask UNKNOWN_FIELD"]);
    assert_eq!(wrong(&update(&["displayName"])), ["update_mask UNKNOWN_FIELD"]);
}

#[test]
fn durations_are_checked() {
    let survey = |seconds| CreateSurveyRequest {
        link_ttl: Some(prost_types::Duration { seconds, nanos: 0 }),
        ..Default::default()
    };
    let of_ttl = |request| wrong(&request).into_iter().filter(|text| text.starts_with("link_ttl")).collect::<Vec<_>>();
    assert_eq!(of_ttl(survey(3599)), ["link_ttl TOO_SMALL"]);
    assert_eq!(of_ttl(survey(7_776_001)), ["link_ttl TOO_GREAT"]);
    assert_eq!(of_ttl(survey(i64::MAX)), ["link_ttl INVALID_TIME"]);
    assert!(of_ttl(survey(86_400)).is_empty());
}

#[test]
fn a_secret_or_personal_value_is_never_repeated() {
    let token = "short-secret";
    let request = SubmitResponseRequest { token: token.into(), client_submission_id: ID.into(), ..Default::default() };
    let violations = request.validate().unwrap_err();
    assert_eq!(violations.len(), 1);
    assert!(!format!("{violations:?}").contains(token));
    let long_name = "Uwase".repeat(100);
    let identifier = Identifier { r#type: 1, value: long_name.clone(), issuer: String::new() };
    let violations = LookupCustomerRequest { identifier: Some(identifier) }.validate().unwrap_err();
    assert!(!format!("{violations:?}").contains(&long_name));
}

#[test]
fn the_list_of_violations_is_bounded() {
    let mut purchase = purchase();
    purchase.lines = vec![PurchaseLine::default(); 5000];
    let request = RecordPurchaseRequest { request_id: String::new(), purchase: Some(purchase) };
    assert_eq!(wrong(&request).len(), proto::validate::MAX_VIOLATIONS);
}

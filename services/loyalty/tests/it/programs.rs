//! Programmes as a client sees them.

use proto::karibu::loyalty::v1 as pb;
use tonic::Code;

use crate::bench::{ANN, HERE, Place, fields, program_request, reason};

#[tokio::test]
async fn a_programme_is_created_read_listed_and_changed() {
    for place in Place::both().await {
        let mut client = place.admin();
        let made = place.program().await;
        assert_eq!((made.unit_label.as_str(), made.default_time_zone.as_str()), ("points", "UTC"));
        assert_eq!((made.state(), made.rounding()), (pb::ProgramState::Active, pb::Rounding::Floor));
        assert_eq!((made.return_policy(), made.etag.as_str()), (pb::ReturnPolicy::Debt, "1"));
        let get = pb::GetProgramRequest { program_id: made.program_id.clone() };
        assert_eq!(client.get_program(get.clone()).await.unwrap().into_inner().program.unwrap(), made);
        assert_eq!(reason(client.create_program(program_request("CARD")).await), "PROGRAM_CODE_TAKEN");

        for code in ["B", "a", "A"] {
            client.create_program(program_request(code)).await.unwrap();
        }
        let mut codes = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListProgramsRequest { page_size: 3, page_token, ..Default::default() };
            let page = client.list_programs(request).await.unwrap().into_inner();
            codes.extend(page.programs.into_iter().map(|program| program.code));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(codes, ["A", "B", "CARD", "a"], "{}: by bytes", place.name);

        let update = pb::UpdateProgramRequest {
            program_id: made.program_id.clone(),
            etag: "1".into(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["rounding".into()] }),
            rounding: pb::Rounding::CarryRemainder.into(),
            display_name: "not in the mask".into(),
            ..Default::default()
        };
        let updated = client.update_program(update.clone()).await.unwrap().into_inner().program.unwrap();
        assert_eq!((updated.rounding(), updated.rule_version), (pb::Rounding::CarryRemainder, 2));
        assert_eq!((updated.display_name.as_str(), updated.etag.as_str()), ("Card", "2"));
        let stale = client.update_program(update).await;
        assert_eq!(stale.as_ref().unwrap_err().code(), Code::Aborted);
        assert_eq!(reason(stale), "VERSION_MISMATCH");
        let told = place.told_of::<pb::ProgramUpdated>().await;
        assert_eq!((told[0].changed_fields.as_slice(), told[0].rule_version), (["rounding".to_owned()].as_slice(), 2));
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_its_reason() {
    let place = Place::new().await;
    let made = place.program().await;
    let mut client = place.admin();
    let twice = pb::CreateProgramRequest {
        earn_rules: [program_request("X").earn_rules, program_request("X").earn_rules].concat(),
        ..program_request("X")
    };
    assert_eq!(fields(client.create_program(twice).await), ["earn_rules[2].currency_code"]);
    let mut money = program_request("X");
    money.earn_rules[1].currency_code = "ZZZ".into();
    assert_eq!(fields(client.create_program(money).await), ["earn_rules[1].currency_code"]);
    let zone = pb::CreateProgramRequest { default_time_zone: "Africa/Atlantis".into(), ..program_request("X") };
    assert_eq!(fields(client.create_program(zone).await), ["default_time_zone"]);
    let expiry = pb::ExpiryPolicy { kind: pb::ExpiryKind::RollingMonths.into(), months: 12 };
    let ending = pb::CreateProgramRequest { expiry: Some(expiry), ..program_request("X") };
    assert_eq!(fields(client.create_program(ending).await), ["expiry.kind"]);
    let delay = Some(prost_types::Duration { seconds: 60, nanos: 0 });
    let waiting = pb::CreateProgramRequest { activation_delay: delay, ..program_request("X") };
    assert_eq!(fields(client.create_program(waiting).await), ["activation_delay"]);
    assert_eq!(reason(place.at_branch(HERE).create_program(program_request("X")).await), "ALL_BRANCHES_NEEDED");
    let unknown = pb::GetProgramRequest { program_id: ANN.to_string() };
    assert_eq!(reason(client.get_program(unknown).await), "PROGRAM_NOT_FOUND");
    let all = pb::UpdateProgramRequest {
        program_id: made.program_id,
        update_mask: Some(prost_types::FieldMask { paths: vec!["*".into()] }),
        display_name: "New".into(),
        ..Default::default()
    };
    assert_eq!(fields(client.update_program(all).await), ["earn_rules"]);
    // Nothing of all that took the code.
    client.create_program(program_request("X")).await.unwrap();
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_one_answer() {
    let place = Place::new().await;
    let mut client = place.admin();
    let request = pb::CreateProgramRequest { request_id: "once".into(), ..program_request("CARD") };
    let first = client.create_program(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.create_program(request.clone()).await.unwrap().into_inner(), first);
    let other = pb::CreateProgramRequest { display_name: "Other".into(), ..request };
    assert_eq!(reason(client.create_program(other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn new_rules_hold_for_the_next_purchase() {
    for place in Place::both().await {
        let made = place.program().await;
        place.sell("1", Some(ANN), HERE, "RWF", 1_000).await;
        place.await_points(ANN, 10, 0).await;
        let mut rules = made.earn_rules.clone();
        rules[0].points = 3;
        let update = pb::UpdateProgramRequest {
            program_id: made.program_id,
            update_mask: Some(prost_types::FieldMask { paths: vec!["earn_rules".into()] }),
            earn_rules: rules,
            ..Default::default()
        };
        place.admin().update_program(update).await.unwrap();
        place.sell("2", Some(ANN), HERE, "RWF", 1_000).await;
        place.await_points(ANN, 40, 0).await;
    }
}

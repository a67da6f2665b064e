//! People at work as a client sees them: roles, skills, teams, shifts and presence.

use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::staff_service_client::StaffServiceClient;
use server::auth::{Kind, Principal};
use tonic::{Code, Status};

use crate::bench::{Place, admin, fields, holder, reason, staff, tree};

const HOUR_S: i64 = 3_600;
/// The clock of a place stands here.
const NOW_S: i64 = 1_795_000_000;

type Client = StaffServiceClient<server::hop::Acting>;

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn grant(role: &str, branches: &[&String]) -> Option<wire::RoleGrant> {
    let branch_ids = branches.iter().map(|&id| id.clone()).collect();
    Some(wire::RoleGrant { role: role.into(), all_branches: branches.is_empty(), branch_ids })
}

/// The person, signed in, with a role in these branches.
fn person(member: &wire::StaffMember, role: &str, branches: &[&String]) -> Principal {
    let branches: Vec<uuid::Uuid> = branches.iter().map(|id| id.parse().unwrap()).collect();
    Principal { subject: member.staff_member_id.as_str().into(), kind: Kind::Staff, ..holder(role, &branches) }
}

async fn names(place: &Place, request: wire::ListStaffMembersRequest) -> Vec<String> {
    let list = place.admin().list_staff_members(request).await.unwrap().into_inner();
    list.staff_members.into_iter().map(|member| member.display_name).collect()
}

async fn plan(client: &mut Client, member: &str, branch: &str, hours: (i64, i64)) -> Result<wire::Shift, Status> {
    let request = wire::PlanShiftRequest {
        staff_member_id: member.into(),
        branch_id: branch.into(),
        start_time: at(NOW_S + hours.0 * HOUR_S),
        end_time: at(NOW_S + hours.1 * HOUR_S),
        ..Default::default()
    };
    Ok(client.plan_shift(request).await?.into_inner().shift.unwrap())
}

#[tokio::test]
async fn roles_are_given_and_ended_branch_by_branch_until_the_work_ends() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        let member = staff(&mut place.admin(), "Aline", "agent", &[&ids["KGL-1"]]).await;
        let staff_member_id = member.staff_member_id.clone();
        let mut client = place.staff(admin());
        let give = |role_grant| wire::GrantStaffRoleRequest {
            staff_member_id: staff_member_id.clone(),
            role_grant,
            ..Default::default()
        };
        let more = client.grant_staff_role(give(grant("agent", &[&ids["LDN-1"]]))).await.unwrap().into_inner();
        assert_eq!(more.staff_member.unwrap().role_grants[0].branch_ids.len(), 2);
        let end = wire::EndStaffRoleRequest {
            staff_member_id: staff_member_id.clone(),
            role_grant: grant("agent", &[&ids["KGL-1"]]),
            ..Default::default()
        };
        let less = client.end_staff_role(end.clone()).await.unwrap().into_inner().staff_member.unwrap();
        assert_eq!(less.role_grants[0].branch_ids, [ids["LDN-1"].clone()]);
        assert_eq!(reason(client.end_staff_role(end).await), "GRANT_NOT_FOUND");
        let mut local = place.staff(holder("admin", &[ids["KGL-1"].parse().unwrap()]));
        assert_eq!(reason(local.grant_staff_role(give(grant("agent", &[]))).await), "STAFF_MEMBER_NOT_FOUND");

        // A key that acts for the person dies with their work.
        let key = wire::CreateApiKeyRequest {
            display_name: "tablet".into(),
            roles: vec!["agent".into()],
            all_branches: true,
            staff_member_id: staff_member_id.clone(),
            ..Default::default()
        };
        let secret = place.admin().create_api_key(key).await.unwrap().into_inner().secret;
        let verify = wire::VerifyApiKeyRequest { secret };
        let mut gateway = place.client(Principal::system("gateway"));
        assert!(gateway.verify_api_key(verify.clone()).await.is_ok());
        let leave = wire::DeactivateStaffMemberRequest { staff_member_id, ..Default::default() };
        let gone = client.deactivate_staff_member(leave.clone()).await.unwrap().into_inner().staff_member.unwrap();
        assert!(gone.role_grants.is_empty() && gone.state() == wire::StaffMemberState::Deactivated);
        assert_eq!(reason(gateway.verify_api_key(verify).await), "API_KEY_INVALID");
        assert_eq!(reason(client.deactivate_staff_member(leave).await), "STAFF_MEMBER_DEACTIVATED");
        assert_eq!(names(&place, wire::ListStaffMembersRequest::default()).await, Vec::<String>::new());
        let all = wire::ListStaffMembersRequest { show_deactivated: true, ..Default::default() };
        assert_eq!(names(&place, all).await, ["Aline"]);
    }
}

#[tokio::test]
async fn people_are_found_by_what_they_can_do() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        let mut client = place.staff(admin());
        let mut made = Vec::new();
        for (name, level, trained_until_s, languages) in
            [("Aline", 8, Some(NOW_S + 1), "rw"), ("Eric", 3, None, "fr"), ("Grace", 9, Some(NOW_S), "rw")]
        {
            let member = staff(&mut place.admin(), name, "agent", &[&ids["KGL-1"]]).await;
            let skills = wire::SetStaffSkillsRequest {
                staff_member_id: member.staff_member_id.clone(),
                skills: vec![wire::Skill {
                    skill: "loans".into(),
                    level,
                    trained_until_time: trained_until_s.and_then(at),
                }],
                ..Default::default()
            };
            client.set_staff_skills(skills).await.unwrap();
            let update = wire::UpdateStaffMemberRequest {
                staff_member_id: member.staff_member_id.clone(),
                update_mask: Some(prost_types::FieldMask { paths: vec!["languages".into()] }),
                languages: vec![languages.into(), "en".into()],
                ..Default::default()
            };
            made.push(client.update_staff_member(update).await.unwrap().into_inner().staff_member.unwrap());
        }
        let skilled = |min_skill_level| wire::ListStaffMembersRequest {
            skill: "loans".into(),
            min_skill_level,
            ..Default::default()
        };
        // Grace's training ran out at this very moment.
        assert_eq!(names(&place, skilled(0)).await, ["Aline", "Eric"]);
        assert_eq!(names(&place, skilled(5)).await, ["Aline"]);
        let spoken = |language: &str| wire::ListStaffMembersRequest { language: language.into(), ..Default::default() };
        assert_eq!(names(&place, spoken("rw")).await, ["Aline", "Grace"]);
        assert_eq!(names(&place, spoken("sw")).await, Vec::<String>::new());

        let create = wire::CreateTeamRequest {
            branch_id: ids["KGL-1"].clone(),
            display_name: "Loans".into(),
            member_ids: vec![made[0].staff_member_id.clone(), made[1].staff_member_id.clone()],
            lead_id: made[1].staff_member_id.clone(),
            ..Default::default()
        };
        let team = client.create_team(create).await.unwrap().into_inner().team.unwrap();
        let team_id = team.team_id.clone();
        let of_team = wire::ListStaffMembersRequest { team_id: team_id.clone(), ..Default::default() };
        assert_eq!(names(&place, of_team.clone()).await, ["Aline", "Eric"]);
        let update = wire::UpdateTeamRequest {
            team_id: team_id.clone(),
            etag: team.etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["member_ids".into()] }),
            member_ids: vec![made[1].staff_member_id.clone()],
            ..Default::default()
        };
        client.update_team(update).await.unwrap();
        assert_eq!(names(&place, of_team).await, ["Eric"]);

        let region = wire::ListTeamsRequest { branch_id: ids["RW"].clone(), ..Default::default() };
        assert_eq!(client.list_teams(region.clone()).await.unwrap().into_inner().teams.len(), 1);
        let mut abroad = place.staff(holder("branch_manager", &[ids["LDN-1"].parse().unwrap()]));
        assert_eq!(abroad.list_teams(region.clone()).await.unwrap().into_inner().teams, []);
        let get = wire::GetTeamRequest { team_id: team_id.clone() };
        assert_eq!(reason(abroad.get_team(get.clone()).await), "TEAM_NOT_FOUND");
        let dissolve = wire::DissolveTeamRequest { team_id, ..Default::default() };
        assert_eq!(reason(abroad.dissolve_team(dissolve.clone()).await), "TEAM_NOT_FOUND");
        client.dissolve_team(dissolve).await.unwrap();
        assert_eq!(client.list_teams(region).await.unwrap().into_inner().teams, []);
        assert!(client.get_team(get).await.unwrap().into_inner().team.unwrap().dissolve_time.is_some());
    }
}

#[tokio::test]
async fn shifts_are_planned_listed_and_cancelled_in_reach() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        let aline = staff(&mut place.admin(), "Aline", "agent", &[&ids["KGL-1"], &ids["LDN-1"]]).await;
        let mut client = place.staff(holder("branch_manager", &[ids["KGL-1"].parse().unwrap()]));
        let mut everywhere = place.staff(admin());
        let (who, here, there) = (&aline.staff_member_id, &ids["KGL-1"], &ids["LDN-1"]);
        let early = plan(&mut everywhere, who, here, (1, 9)).await.unwrap();
        let abroad = plan(&mut everywhere, who, there, (30, 38)).await.unwrap();
        assert_eq!(reason(plan(&mut everywhere, who, there, (8, 10)).await), "SHIFT_OVERLAPS");
        assert_eq!(reason(plan(&mut client, who, there, (50, 51)).await), "BRANCH_NOT_FOUND");
        assert_eq!(fields(plan(&mut everywhere, who, here, (9, 9)).await), ["end_time"]);

        let list = async |client: &mut Client, request| client.list_shifts(request).await.unwrap().into_inner().shifts;
        let all = wire::ListShiftsRequest { staff_member_id: who.clone(), ..Default::default() };
        assert_eq!(list(&mut everywhere, all.clone()).await, [early.clone(), abroad.clone()]);
        assert_eq!(list(&mut client, all.clone()).await, std::slice::from_ref(&early));
        let below = wire::ListShiftsRequest { branch_id: ids["GB"].clone(), ..Default::default() };
        assert_eq!(list(&mut everywhere, below).await, std::slice::from_ref(&abroad));
        let window = wire::ListShiftsRequest {
            start_time: at(NOW_S + 9 * HOUR_S),
            end_time: at(NOW_S + 31 * HOUR_S),
            ..Default::default()
        };
        assert_eq!(list(&mut everywhere, window).await, std::slice::from_ref(&abroad));

        let cancel = |shift: &wire::Shift| wire::CancelShiftRequest {
            shift_id: shift.shift_id.clone(),
            etag: shift.etag.clone(),
            ..Default::default()
        };
        assert_eq!(reason(client.cancel_shift(cancel(&abroad)).await), "SHIFT_NOT_FOUND");
        everywhere.cancel_shift(cancel(&early)).await.unwrap();
        assert_eq!(list(&mut everywhere, all.clone()).await, std::slice::from_ref(&abroad));
        let with_cancelled = wire::ListShiftsRequest { show_cancelled: true, ..all };
        assert_eq!(list(&mut everywhere, with_cancelled).await.len(), 2);
        // The hours are free again.
        plan(&mut everywhere, who, there, (8, 10)).await.unwrap();
    }
}

#[tokio::test]
async fn people_say_where_they_are_and_are_offline_when_their_time_is_over() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        let (aline, eric) = (
            staff(&mut place.admin(), "Aline", "agent", &[&ids["KGL-1"]]).await,
            staff(&mut place.admin(), "Eric", "agent", &[&ids["KGL-1"]]).await,
        );
        let say = |member: &wire::StaffMember, state: wire::PresenceState| wire::SetPresenceRequest {
            staff_member_id: member.staff_member_id.clone(),
            state: state.into(),
            branch_id: ids["KGL-1"].clone(),
            until_time: at(NOW_S + HOUR_S),
            ..Default::default()
        };
        use wire::PresenceState::{Available, Away, Offline};
        let mut herself = place.staff(person(&aline, "agent", &[&ids["KGL-1"]]));
        let said = herself.set_presence(say(&aline, Available)).await.unwrap().into_inner().presence.unwrap();
        assert_eq!((said.state(), said.since_time, said.etag.as_str()), (Available, at(NOW_S), "1"));
        assert_eq!(reason(herself.set_presence(say(&eric, Away)).await), "ONLY_THE_PERSON");
        let mut manager = place.staff(holder("branch_manager", &[ids["KGL-1"].parse().unwrap()]));
        manager.set_presence(say(&eric, Away)).await.unwrap();
        let homeless = wire::SetPresenceRequest { branch_id: String::new(), ..say(&eric, Away) };
        assert_eq!(fields(manager.set_presence(homeless).await), ["branch_id"]);

        let list = async |client: &mut Client, state: wire::PresenceState| {
            let request = wire::ListPresenceRequest { state: state.into(), ..Default::default() };
            let reply = client.list_presence(request).await.unwrap().into_inner();
            reply.presences.into_iter().map(|presence| presence.staff_member_id).collect::<Vec<_>>()
        };
        assert_eq!(list(&mut manager, Available).await, std::slice::from_ref(&aline.staff_member_id));
        assert_eq!(list(&mut manager, wire::PresenceState::Unspecified).await.len(), 2);
        let mut abroad = place.staff(holder("branch_manager", &[ids["LDN-1"].parse().unwrap()]));
        assert_eq!(list(&mut abroad, wire::PresenceState::Unspecified).await, Vec::<String>::new());

        place.house.clock.advance_us(HOUR_S * 1_000_000);
        assert_eq!(list(&mut manager, Available).await, Vec::<String>::new());
        assert_eq!(list(&mut manager, Offline).await.len(), 2);
        assert_eq!(fields(herself.set_presence(say(&aline, Available)).await), ["until_time"]);
    }
}

#[tokio::test]
async fn only_the_person_opts_in_and_events_never_tell_by_what() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    let member = staff(&mut place.admin(), "Aline", "agent", &[&ids["KGL-1"]]).await;
    let set = |attributes: &[&str]| wire::SetStaffMatchingRequest {
        staff_member_id: member.staff_member_id.clone(),
        attributes: attributes.iter().map(|&code| code.to_owned()).collect(),
        ..Default::default()
    };
    let mut manager = place.staff(holder("branch_manager", &[ids["KGL-1"].parse().unwrap()]));
    assert_eq!(reason(manager.set_staff_matching(set(&["zebra-canary"])).await), "ONLY_THE_PERSON");
    let mut herself = place.staff(person(&member, "agent", &[&ids["KGL-1"]]));
    let said = herself.set_staff_matching(set(&["zebra-canary"])).await.unwrap().into_inner().staff_member.unwrap();
    assert_eq!(said.matching_attributes, ["zebra-canary"]);
    assert!(said.matching_opt_in_time.is_some());
    let ended = manager.set_staff_matching(set(&[])).await.unwrap().into_inner().staff_member.unwrap();
    assert!(ended.matching_attributes.is_empty() && ended.matching_opt_in_time.is_none());
    let told = place.events().await;
    assert!(told.iter().any(|event| event.r#type == "karibu.organization.staff_member.updated.v1"));
    for event in told {
        let payload = String::from_utf8_lossy(&event.payload);
        assert!(!payload.contains("zebra-canary") && !payload.contains("Aline"), "{}", event.r#type);
    }
    let mut auditor = place.staff(holder("auditor", &[]));
    assert_eq!(auditor.set_staff_matching(set(&[])).await.unwrap_err().code(), Code::PermissionDenied);
}

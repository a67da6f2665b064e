//! Outer identities of staff, as the administrator links them and the gateway resolves them.

use proto::karibu::organization::v1 as wire;
use server::auth::Principal;
use tonic::{Code, Status};

use crate::bench::{Place, admin, fields, holder, reason, staff, tree};

const ISSUER: &str = "https://id.example/";

fn link(member: &wire::StaffMember, issuer: &str, subject: &str) -> wire::LinkStaffIdentityRequest {
    wire::LinkStaffIdentityRequest {
        staff_member_id: member.staff_member_id.clone(),
        issuer: issuer.into(),
        subject: subject.into(),
        ..Default::default()
    }
}

async fn resolve(place: &Place, issuer: &str, subject: &str) -> Result<wire::Principal, Status> {
    let request = wire::ResolvePrincipalRequest { issuer: issuer.into(), subject: subject.into() };
    let mut gateway = place.access(Principal::system("gateway"));
    Ok(gateway.resolve_principal(request).await?.into_inner().principal.unwrap())
}

#[tokio::test]
async fn a_linked_identity_is_its_staff_member_with_what_they_may_do_today() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        let member = staff(&mut place.admin(), "Aline", "branch_manager", &[&ids["RW"]]).await;
        assert_eq!(reason(resolve(&place, ISSUER, "aline").await), "PRINCIPAL_UNKNOWN");

        let linked = place.access(admin()).link_staff_identity(link(&member, ISSUER, "aline")).await;
        let linked = linked.unwrap().into_inner().staff_member.unwrap();
        assert_eq!((linked.etag.as_str(), linked.identity_issuer.as_str()), ("2", ISSUER));

        let principal = resolve(&place, ISSUER, "aline").await.unwrap();
        assert_eq!((&principal.subject, principal.kind()), (&member.staff_member_id, wire::PrincipalKind::Staff));
        assert_eq!(principal.staff_member_id, member.staff_member_id);
        let mut expected = [&ids["RW"], &ids["KGL-1"], &ids["DESK"]].map(String::clone).to_vec();
        expected.sort();
        assert_eq!((principal.all_branches, &principal.branch_ids), (false, &expected));
        assert!(principal.permissions.contains(&proto::Permission::CompensationApprove.into()));
        assert!(!principal.permissions.contains(&proto::Permission::ApiKeyAdmin.into()));
        assert_eq!(principal.grants.len(), 1);
        assert_eq!(principal.grants[0].branch_ids, expected);

        for (issuer, subject) in [(ISSUER, "Aline"), ("https://other.example/", "aline"), (ISSUER, "aline ")] {
            let status = resolve(&place, issuer, subject).await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{issuer} {subject}");
        }
        place.access(admin()).link_staff_identity(link(&member, "", "")).await.unwrap();
        assert_eq!(reason(resolve(&place, ISSUER, "aline").await), "PRINCIPAL_UNKNOWN");
    }
}

#[tokio::test]
async fn an_identity_belongs_to_one_person_and_only_who_may_as_much_gives_it() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    let aline = staff(&mut place.admin(), "Aline", "agent", &[&ids["KGL-1"]]).await;
    let grace = staff(&mut place.admin(), "Grace", "admin", &[]).await;
    place.access(admin()).link_staff_identity(link(&aline, ISSUER, "a")).await.unwrap();
    assert_eq!(reason(place.access(admin()).link_staff_identity(link(&grace, ISSUER, "a")).await), "IDENTITY_TAKEN");
    assert_eq!(fields(place.access(admin()).link_staff_identity(link(&grace, ISSUER, "")).await), ["subject"]);

    let own = [ids["KGL-1"].parse().unwrap()];
    // Who reaches the branch may link its people, but not an administrator of everything.
    let mut local = place.access(holder("admin", &own));
    assert_eq!(reason(local.link_staff_identity(link(&grace, ISSUER, "me")).await), "STAFF_MEMBER_NOT_FOUND");
    local.link_staff_identity(link(&aline, ISSUER, "b")).await.unwrap();
    let mut agent = place.access(holder("agent", &own));
    assert_eq!(reason(agent.link_staff_identity(link(&aline, ISSUER, "c")).await), "PERMISSION_DENIED");
    let request = wire::ResolvePrincipalRequest { issuer: ISSUER.into(), subject: "b".into() };
    assert_eq!(place.access(admin()).resolve_principal(request).await.unwrap_err().code(), Code::PermissionDenied);
}

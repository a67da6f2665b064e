//! Each aggregate survives its row on both engines.

use commit::Aggregate;
use organization::domain::{
    ApiKey, ApiKeyId, Branch, BranchId, BranchKind, Children, Reach, RoleGrant, StaffMember, StaffMemberId,
};
use store::{Batch, Rows, Sql};
use uuid::Uuid;

use crate::bench::{Bench, both};

const NOTHING: Sql = Sql::same("update log_head set last_seq = last_seq where id = 1");

async fn survives<A: Aggregate + PartialEq + std::fmt::Debug>(bench: &Bench, original: A) {
    let mut conn = bench.db.writer().await.unwrap();
    let mut rows = Rows::new(A::TABLE);
    original.to_row(&mut rows);
    conn.save(&Batch { rows: vec![rows], last: NOTHING, args: &[] }).await.unwrap();
    let loaded: Vec<A::Row> = conn.load(A::TABLE, &[original.id(), Uuid::from_u128(u128::MAX)]).await.unwrap();
    let loaded: Vec<A> = loaded.into_iter().map(|row| A::from_row(row).unwrap()).collect();
    assert_eq!(loaded, [original], "{}", bench.name);
}

#[tokio::test]
async fn every_aggregate_survives_its_row() {
    let id = Uuid::from_u128;
    for bench in both().await {
        let branch = Branch {
            id: BranchId(id(1)),
            version: 2,
            parent: Some(BranchId(id(3))),
            code: "KGL-1".into(),
            kind: BranchKind::Desk,
            display_name: "Ikaze \"Kigali\" ✓".into(),
            time_zone: "Africa/Kigali".into(),
            currency: "RWF".parse().unwrap(),
            locale: "rw".into(),
            created_at_us: 4,
            updated_at_us: 5,
            closed_at_us: Some(6),
        };
        survives(
            &bench,
            Branch { id: BranchId(id(2)), code: "A".into(), parent: None, closed_at_us: None, ..branch.clone() },
        )
        .await;
        survives(&bench, branch).await;
        survives(&bench, Children { id: BranchId(id(1)), working: 7, version: 0 }).await;
        let some = Reach::Branches(vec![id(8), id(9)]);
        survives(
            &bench,
            StaffMember {
                id: StaffMemberId(id(1)),
                version: 2,
                display_name: "Uwase".into(),
                grants: vec![
                    RoleGrant { role: "agent".into(), reach: some.clone() },
                    RoleGrant { role: "auditor".into(), reach: Reach::All },
                ],
                home: Some(BranchId(id(3))),
                created_at_us: 4,
                updated_at_us: 5,
            },
        )
        .await;
        let key = ApiKey {
            id: ApiKeyId(id(1)),
            version: 2,
            secret_hash: [0xFE; 32],
            display_name: "till".into(),
            roles: vec!["agent".into(), "marketing".into()],
            reach: some,
            staff_member: Some(StaffMemberId(id(3))),
            expires_at_us: Some(4),
            revoked_at_us: Some(5),
            created_at_us: 6,
            updated_at_us: 7,
        };
        let bare = ApiKey {
            id: ApiKeyId(id(2)),
            reach: Reach::All,
            staff_member: None,
            expires_at_us: None,
            revoked_at_us: None,
            ..key.clone()
        };
        survives(&bench, key).await;
        survives(&bench, bare).await;
    }
}

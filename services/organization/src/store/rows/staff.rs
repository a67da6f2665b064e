//! Rows of staff members.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{json, reach};
use crate::domain::{BranchId, ExternalIdentity, RoleGrant, Skill, StaffMember, StaffMemberId, TeamId};

static STAFF_MEMBER: Table = Table::new(
    "staff_member",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("home_branch_id", Kind::Uuid),
        ("identity_key", Kind::Uuid),
        ("search_name", Kind::Text),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("deactivated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct GrantDoc {
    role: String,
    all_branches: bool,
    branch_ids: Vec<Uuid>,
}

#[derive(Serialize, Deserialize)]
struct SkillDoc {
    code: String,
    level: i32,
    trained_until_us: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct IdentityDoc {
    issuer: String,
    subject: String,
}

#[derive(Serialize, Deserialize)]
struct StaffMemberDoc {
    display_name: String,
    grants: Vec<GrantDoc>,
    #[serde(default)]
    identity: Option<IdentityDoc>,
    #[serde(default)]
    skills: Vec<SkillDoc>,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    matching_attributes: Vec<String>,
    #[serde(default)]
    matching_opted_in_at_us: Option<i64>,
    #[serde(default)]
    team_ids: Vec<Uuid>,
}

/// A row of `staff_member`.
#[derive(sqlx::FromRow)]
pub struct StaffMemberRow {
    id: Uuid,
    version: i64,
    home_branch_id: Option<Uuid>,
    created_at_us: i64,
    updated_at_us: i64,
    deactivated_at_us: Option<i64>,
    doc: Json<StaffMemberDoc>,
}

impl Aggregate for StaffMember {
    const TABLE: &'static Table = &STAFF_MEMBER;
    const TYPE: &'static str = "staff_member";
    type Row = StaffMemberRow;

    fn from_row(row: StaffMemberRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let grant = |grant: GrantDoc| {
            Ok(RoleGrant { role: grant.role, reach: reach(row.id, grant.all_branches, &grant.branch_ids)? })
        };
        let skill = |SkillDoc { code, level, trained_until_us }| Skill { code, level, trained_until_us };
        Ok(Self {
            id: StaffMemberId(row.id),
            version: row.version,
            display_name: doc.display_name,
            grants: doc.grants.into_iter().map(grant).collect::<Result<_, Corrupt>>()?,
            home: row.home_branch_id.map(BranchId),
            identity: doc.identity.map(|IdentityDoc { issuer, subject }| ExternalIdentity { issuer, subject }),
            skills: doc.skills.into_iter().map(skill).collect(),
            languages: doc.languages,
            matching_attributes: doc.matching_attributes,
            matching_opted_in_at_us: doc.matching_opted_in_at_us,
            teams: doc.team_ids.into_iter().map(TeamId).collect(),
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            deactivated_at_us: row.deactivated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.home.map(BranchId::uuid))
            .uuid(self.identity.as_ref().map(ExternalIdentity::key))
            .text(self.search_name().as_str())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .int(self.deactivated_at_us)
            .text(json(&StaffMemberDoc::of(self)).as_str());
    }

    commit::identity!(id, version, branch?: home);
}

impl StaffMemberDoc {
    fn of(member: &StaffMember) -> Self {
        let grant = |grant: &RoleGrant| GrantDoc {
            role: grant.role.clone(),
            all_branches: grant.reach.is_all(),
            branch_ids: grant.reach.branches().to_vec(),
        };
        let skill = |skill: &Skill| SkillDoc {
            code: skill.code.clone(),
            level: skill.level,
            trained_until_us: skill.trained_until_us,
        };
        let identity = |identity: &ExternalIdentity| IdentityDoc {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
        };
        Self {
            display_name: member.display_name.clone(),
            grants: member.grants.iter().map(grant).collect(),
            identity: member.identity.as_ref().map(identity),
            skills: member.skills.iter().map(skill).collect(),
            languages: member.languages.clone(),
            matching_attributes: member.matching_attributes.clone(),
            matching_opted_in_at_us: member.matching_opted_in_at_us,
            team_ids: member.teams.iter().map(|team| team.uuid()).collect(),
        }
    }
}

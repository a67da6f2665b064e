//! Reading what callers may do: the powers behind an identity or a key, as they are today.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ::store::{Result, args};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use super::rows::{ApiKeyUseRow, RoleRow, StaffMemberRow};
use super::{Page, Reads, all, one, sql};
use crate::domain::{
    ApiKey, ApiKeyUse, DEFAULT_ROLES, ExternalIdentity, Permission, Power, Reach, Role, RoleId, StaffMember,
};

/// Most stored roles that are ever read: more than a business can make and change.
const MAX_STORED_ROLES: i64 = 1_000;

impl Reads {
    /// Who works here under this outer identity, whoever asks: for checking a credential.
    pub async fn find_staff_member_of(&self, identity: &ExternalIdentity) -> Result<Option<StaffMember>> {
        let (reader, args) = (self.reader.beyond_scope(), args![identity.key()]);
        one(reader.fetch_optional::<StaffMemberRow>(sql::STAFF_MEMBER_OF_IDENTITY, args).await?)
    }

    /// What the grants of a staff member allow today, one power per grant, with the branches below added.
    pub async fn list_powers(&self, member: &StaffMember) -> Result<Vec<Power>> {
        let mut tops: Vec<Uuid> = member.grants.iter().flat_map(|grant| grant.reach.branches()).copied().collect();
        tops.sort_unstable();
        tops.dedup();
        let mut below: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        if !tops.is_empty() {
            let pairs: Vec<(Uuid, Uuid)> = self.reader.beyond_scope().fetch_all(sql::BELOW_EACH, args![&tops]).await?;
            pairs.into_iter().for_each(|(top, branch)| below.entry(top).or_default().push(branch));
        }
        let roles = self.list_allowed(member.grants.iter().map(|grant| grant.role.as_str())).await?;
        let scope = |reach: &Reach| match reach {
            Reach::All => BranchScope::All,
            Reach::Branches(tops) => BranchScope::only(tops.iter().filter_map(|top| below.get(top)).flatten().copied()),
        };
        let powers = member.grants.iter().map(|grant| {
            let permissions = roles.get(&grant.role).cloned().unwrap_or_default();
            Power { permissions, scope: scope(&grant.reach) }
        });
        Ok(powers.collect())
    }

    /// What the holder of a key may do today, and in which branches; `None` when the person that the key acts for does
    /// not work here any more.
    pub async fn find_holder(&self, key: &ApiKey) -> Result<Option<(BTreeSet<Permission>, Vec<Uuid>)>> {
        if let Some(member) = key.staff_member {
            let works = self
                .reader
                .beyond_scope()
                .fetch_optional::<(i64,)>(sql::WORKING_STAFF_MEMBER, args![member.uuid()])
                .await?;
            if works.is_none() {
                return Ok(None);
            }
        }
        let roles = self.list_allowed(key.roles.iter().map(String::as_str)).await?;
        let branches = self.list_below(key.reach.branches()).await?;
        Ok(Some((roles.into_values().flatten().collect(), branches)))
    }

    /// What each of these roles allows today; a code that is no role (any more) allows nothing.
    async fn list_allowed(&self, codes: impl Iterator<Item = &str>) -> Result<BTreeMap<String, BTreeSet<Permission>>> {
        let mut allowed: BTreeMap<String, BTreeSet<Permission>> = codes
            .map(|code| (code.to_owned(), Role::find_default(code).map(|role| role.allowed()).unwrap_or_default()))
            .collect();
        let ids: Vec<Uuid> = allowed.keys().map(|code| RoleId::of(code).uuid()).collect();
        if !ids.is_empty() {
            for role in all::<Role>(self.reader.beyond_scope().fetch_all(sql::ROLES_OF, args![&ids]).await?)? {
                allowed.insert(role.code.clone(), role.allowed());
            }
        }
        Ok(allowed)
    }

    /// The roles that stand, by code: default ones, unless the business changed them, and its own.
    pub async fn list_roles(&self, page: &PageRequest) -> Result<Page<Role>> {
        let stored: Vec<RoleRow> = self.reader.beyond_scope().fetch_all(sql::ROLES, args![MAX_STORED_ROLES]).await?;
        let mut roles: BTreeMap<String, Role> = DEFAULT_ROLES
            .iter()
            .filter_map(|default| Role::find_default(default.code))
            .map(|role| (role.code.clone(), role))
            .collect();
        roles.extend(all::<Role>(stored)?.into_iter().map(|role| (role.code.clone(), role)));
        // Deleted roles keep their place, so that a page can begin behind one.
        let last = page.after.and_then(|place| roles.values().find(|role| role.id.uuid() == place.id));
        let last = last.map(|role| role.code.clone()).unwrap_or_default();
        let mut items: Vec<Role> = roles
            .into_values()
            .filter(|role| role.code > last && role.deleted_at_us.is_none())
            .take(page.size + 1)
            .collect();
        let next = page.cut(&mut items, |role| Cursor { sort: 0, id: role.id.uuid() });
        Ok(Page { items, next })
    }

    /// When these keys were last used, microseconds since the Unix epoch; without those that never were.
    pub async fn list_last_uses(&self, keys: &[ApiKey]) -> Result<HashMap<Uuid, i64>> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<Uuid> = keys.iter().map(|key| key.id.uuid()).collect();
        let rows: Vec<ApiKeyUseRow> = self.reader.beyond_scope().fetch_all(sql::API_KEY_USES, args![&ids]).await?;
        Ok(all::<ApiKeyUse>(rows)?.into_iter().map(|used| (used.id.uuid(), used.last_used_at_us)).collect())
    }
}

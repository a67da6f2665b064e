//! Asks who the holder of a credential is: the organization service knows keys and people, the issuer of access tokens
//! only the latter's names. What an answer can never be is a defect of the answer, and lets nobody in.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kernel::BranchScope;
use proto::Permission;
use proto::karibu::organization::v1 as org;
use proto::karibu::organization::v1::access_service_client::AccessServiceClient;
use proto::karibu::organization::v1::organization_service_client::OrganizationServiceClient;
use server::auth::{KeyText, Kind, Minter, PermissionSet, Principal};
use server::hop::{Acting, Peers};
use server::status;
use tonic::Status;

use super::credential::{Credential, Form};
use super::holder::{Holder, Power};
use super::keys::{Ask, Verified};
use super::oidc::Oidc;
use super::uses::{Uses, telling};
use crate::limits;

/// Short name of the service that knows who is who.
pub(super) const ORGANIZATION: &str = "organization";

/// The way to whoever knows.
#[derive(Clone, Debug)]
pub struct Registry {
    peers: Peers,
    minter: Minter,
    oidc: Option<Oidc>,
    uses: Uses,
}

impl Registry {
    /// Asks the organization service among `peers`, and `oidc` about access tokens if there is an issuer.
    pub fn new(peers: Peers, minter: Minter, oidc: Option<Oidc>) -> Self {
        Self { peers, minter, oidc, uses: Uses::default() }
    }

    /// This registry as a question.
    pub fn ask(self) -> Ask {
        Arc::new(move |credential| {
            let registry = self.clone();
            Box::pin(async move {
                match credential.form() {
                    Form::Key => registry.holder_of_key(&credential).await,
                    Form::Token => registry.holder_of_token(&credential).await,
                    // These say who they are for themselves, and are checked where they are read.
                    Form::Customer => Err(status::unauthenticated()),
                }
            })
        })
    }

    async fn holder_of_key(&self, credential: &Credential) -> Result<Verified, Status> {
        // A typo needs no answer from anybody.
        KeyText::read(credential.secret()).ok_or_else(status::unauthenticated)?;
        let request = org::VerifyApiKeyRequest { secret: credential.secret().to_owned() };
        let answer = OrganizationServiceClient::new(self.acting()?).verify_api_key(timed(request)).await?;
        let verified = verified(answer.into_inner().principal.unwrap_or_default())?;
        self.uses.note(&verified.holder.principal().subject);
        Ok(verified)
    }

    /// Tells when keys were used since it was told before. What cannot be told now is kept for the next time.
    pub async fn tell_uses(&self) -> anyhow::Result<()> {
        for uses in self.uses.take() {
            let told = match self.acting() {
                Ok(acting) => AccessServiceClient::new(acting).record_api_key_use(timed(telling(&uses))).await,
                Err(status) => Err(status),
            };
            if let Err(status) = told {
                self.uses.put_back(uses);
                anyhow::bail!("the uses of API keys cannot be told: {}", status.message());
            }
        }
        Ok(())
    }

    async fn holder_of_token(&self, credential: &Credential) -> Result<Verified, Status> {
        let oidc = self.oidc.as_ref().ok_or_else(status::unauthenticated)?;
        let login = oidc.verify(credential.secret()).await?;
        let request = org::ResolvePrincipalRequest { issuer: login.issuer.to_string(), subject: login.subject };
        let answer = AccessServiceClient::new(self.acting()?).resolve_principal(timed(request)).await?;
        let verified = verified(answer.into_inner().principal.unwrap_or_default())?;
        let left = verified.left.map_or(login.left, |left| left.min(login.left));
        Ok(Verified { left: Some(left), ..verified })
    }

    fn acting(&self) -> Result<Acting, Status> {
        let upstream = self.peers.find(ORGANIZATION).ok_or_else(|| status::unavailable(ORGANIZATION))?;
        Ok(upstream.acting_as(Principal::system(crate::NAME), self.minter.clone(), ORGANIZATION))
    }
}

fn timed<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(limits::VERIFY_TIMEOUT);
    request
}

/// The holder as the suite knows it.
fn verified(principal: org::Principal) -> Result<Verified, Status> {
    let defect = |what: &str| {
        tracing::error!(what, "the holder of a credential cannot be understood");
        status::internal()
    };
    let kind = match principal.kind() {
        org::PrincipalKind::ApiKey => Kind::Key,
        org::PrincipalKind::Staff => Kind::Staff,
        org::PrincipalKind::Unspecified | org::PrincipalKind::Customer | org::PrincipalKind::System => {
            return Err(defect("kind"));
        }
    };
    if principal.subject.is_empty() {
        return Err(defect("subject"));
    }
    let left = match &principal.expire_time {
        Some(end) => Some(until(end).ok_or_else(|| defect("expire_time"))?),
        None => None,
    };
    let place = |all, ids: &[String]| scope(all, ids).ok_or_else(|| defect("branches"));
    let whole = Principal {
        subject: principal.subject.as_str().into(),
        kind,
        permissions: grantable(&principal.permissions),
        scope: place(principal.all_branches, &principal.branch_ids)?,
    };
    let power = |grant: &org::PrincipalGrant| {
        let permissions = grantable(&grant.permissions);
        Ok(Power { permissions, scope: place(grant.all_branches, &grant.branch_ids)? })
    };
    let powers = principal.grants.iter().map(power).collect::<Result<Vec<Power>, Status>>()?;
    let holder = if powers.is_empty() { Holder::of(whole) } else { Holder::with_powers(whole, &powers) };
    Ok(Verified { holder, left })
}

/// The permissions that a key or a person can hold. The others say what kind of caller a method is for.
fn grantable(permissions: &[i32]) -> PermissionSet {
    let kinds = [Permission::Unspecified, Permission::Public, Permission::Internal, Permission::CustomerOwn];
    permissions.iter().copied().filter(|number| !kinds.iter().any(|kind| i32::from(*kind) == *number)).collect()
}

fn scope(all: bool, ids: &[String]) -> Option<BranchScope> {
    if all {
        return Some(BranchScope::All);
    }
    let branches: Result<Vec<uuid::Uuid>, _> = ids.iter().map(|id| id.parse()).collect();
    branches.ok().map(BranchScope::only)
}

/// The time until then by the wall clock; nothing if it is over.
fn until(end: &prost_types::Timestamp) -> Option<Duration> {
    let end = Duration::from_micros(u64::try_from(proto::us_from_timestamp(end).ok()?).unwrap_or(0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(end.saturating_sub(now))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proto::Permission as P;

    use super::*;

    fn principal(kind: org::PrincipalKind) -> org::Principal {
        org::Principal {
            subject: "x".into(),
            kind: kind.into(),
            branch_ids: vec!["0190163d-8694-739b-aea5-966c26f8ad91".into()],
            ..Default::default()
        }
    }

    #[test]
    fn a_holder_from_outside_is_never_the_system() {
        for never in [org::PrincipalKind::System, org::PrincipalKind::Customer, org::PrincipalKind::Unspecified] {
            assert!(verified(principal(never)).is_err(), "{never:?}");
        }
        let key = verified(principal(org::PrincipalKind::ApiKey)).unwrap().holder.principal().clone();
        assert_eq!((key.kind, key.scope.branches().len()), (Kind::Key, 1));
        let broken = org::Principal { branch_ids: vec!["*".into()], ..principal(org::PrincipalKind::ApiKey) };
        assert!(verified(broken).is_err());
        let nobody = org::Principal { subject: String::new(), ..principal(org::PrincipalKind::ApiKey) };
        assert!(verified(nobody).is_err());
    }

    #[test]
    fn a_holder_from_outside_never_passes_for_a_customer_or_for_karibu_itself() {
        let permissions = (0..64).collect();
        let all = verified(org::Principal { permissions, ..principal(org::PrincipalKind::ApiKey) }).unwrap().holder;
        for never in [P::Unspecified, P::Public, P::Internal, P::CustomerOwn] {
            assert!(all.acting(never).is_none(), "{never:?}");
        }
        assert!(all.acting(P::EventRead).is_some());
    }

    #[test]
    fn grants_say_what_holds_where() {
        let grant = |permission: P, ids: &[&str]| org::PrincipalGrant {
            permissions: vec![permission.into()],
            all_branches: ids.is_empty(),
            branch_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        let here = "0190163d-8694-739b-aea5-966c26f8ad91";
        let grants = vec![grant(P::ComplaintWrite, &[here]), grant(P::EventRead, &[])];
        let holder = verified(org::Principal { grants, ..principal(org::PrincipalKind::Staff) }).unwrap().holder;
        assert_eq!(holder.acting(P::ComplaintWrite).unwrap().scope.branches().len(), 1);
        assert!(holder.acting(P::EventRead).unwrap().scope.is_all());
        assert!(holder.acting(P::ComplaintRead).is_none());
    }
}

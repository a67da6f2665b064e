//! Who calls, and may they: the credential, the permission of the method, the rate of the caller. What a caller may
//! see is decided again by every service, from the token that the door mints.

mod ask;
mod buckets;
mod credential;
pub mod customer;
mod holder;
mod keys;
mod link;
pub mod oidc;
mod rate;
mod uses;

pub use ask::Registry;
pub use credential::{Credential, Form, X_API_KEY, presented};
pub use customer::CustomerTokens;
pub use holder::{Holder, Power};
pub use keys::{Ask, Keys, Verified};
pub use link::Links;
pub use rate::{Class, RateLimits, Rates};

use std::net::IpAddr;

use bytes::Bytes;
use http::HeaderMap;
use proto::{MethodInfo, Permission};
use server::auth::Principal;
use server::status;
use tonic::{Code, Status};

/// Decides who a caller is. Clones share what they remember.
#[derive(Clone, Debug)]
pub struct Admission {
    keys: Keys,
    customers: CustomerTokens,
    links: Links,
    rates: Rates,
}

impl Admission {
    /// An admission that asks `keys`, reads tokens of `customers` and bounds callers by `rates`.
    pub fn new(keys: Keys, customers: CustomerTokens, rates: Rates) -> Self {
        Self { keys, customers, links: Links::of(proto::methods().iter()), rates }
    }

    /// Whether the request message says who calls, so that [`Self::admit`] needs it.
    pub fn needs_message(&self, method: &MethodInfo) -> bool {
        method.is_public()
    }

    /// The caller of `method`, who may call it, from this address. `message` is the request where [`Self::needs_message`] asks for it.
    pub async fn admit(
        &self,
        method: &MethodInfo,
        headers: &HeaderMap,
        message: Option<Bytes>,
        from: Option<IpAddr>,
    ) -> Result<Principal, Status> {
        let principal = if method.is_public() {
            self.rates.take_stranger(from)?;
            // A credential on a public method is not looked at: it could only make the answer depend on it.
            self.links.principal(method, message.unwrap_or_default())
        } else {
            self.introduced(method, headers, from).await?
        };
        self.rates.take(Class::of(method), &principal.subject)?;
        Ok(principal)
    }

    /// Who shows a credential. Guessing is slowed down by the address it comes from; who is known already is not held up
    /// by the guesses of others behind the same address.
    async fn introduced(
        &self,
        method: &MethodInfo,
        headers: &HeaderMap,
        from: Option<IpAddr>,
    ) -> Result<Principal, Status> {
        let credential = presented(headers);
        if !credential.as_ref().is_ok_and(|credential| self.keys.remembers(credential)) {
            self.rates.check_stranger(from)?;
        }
        let checked = match credential {
            Ok(credential) => self.check(&credential, method.permission).await,
            Err(status) => Err(status),
        };
        if checked.as_ref().is_err_and(|status| status.code() == Code::Unauthenticated) {
            // The answer is the same whether or not this one was the last that is heard.
            let _ = self.rates.take_stranger(from);
        }
        checked
    }

    /// Who the holder of a credential acts as where `permission` is needed, as of now: at the start of a call, and again
    /// and again for streams that outlive it. UNAUTHENTICATED when the credential holds no longer, PERMISSION_DENIED when
    /// its holder may not; any other failure says nothing about them.
    pub async fn check(&self, credential: &Credential, permission: Permission) -> Result<Principal, Status> {
        let holder = self.holder(credential).await?;
        holder.acting(permission).cloned().ok_or_else(|| status::permission_denied(permission.as_str_name()))
    }

    /// Who is behind a credential, with what holds in every place of theirs.
    pub async fn verify(&self, credential: &Credential) -> Result<Principal, Status> {
        self.holder(credential).await.map(|holder| holder.principal().clone())
    }

    async fn holder(&self, credential: &Credential) -> Result<Holder, Status> {
        match credential.form() {
            Form::Customer => {
                let own = self.customers.read(credential).ok_or_else(status::unauthenticated)?;
                Ok(Holder::of(own.principal()))
            }
            Form::Key | Form::Token => self.keys.verify(credential).await,
        }
    }
}

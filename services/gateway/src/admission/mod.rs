//! Who calls, and may they: the credential, the permission of the method, the rate of the caller. What a caller may
//! see is decided again by every service, from the token that the door mints.

mod credential;
mod keys;
mod link;
mod rate;

pub use credential::{Credential, X_API_KEY, presented};
pub use keys::{Ask, Keys, Verified, ask_organization};
pub use link::Links;
pub use rate::Rates;

use bytes::Bytes;
use http::HeaderMap;
use proto::MethodInfo;
use server::auth::Principal;
use server::status;
use tonic::Status;

/// Decides who a caller is. Clones share what they remember.
#[derive(Clone, Debug)]
pub struct Admission {
    keys: Keys,
    links: Links,
    rates: Rates,
}

impl Admission {
    /// An admission that asks `keys` and bounds callers by `rates`.
    pub fn new(keys: Keys, rates: Rates) -> Self {
        Self { keys, links: Links::of(proto::methods().iter()), rates }
    }

    /// Whether the request message says who calls, so that [`Self::admit`] needs it.
    pub fn needs_message(&self, method: &MethodInfo) -> bool {
        method.is_public()
    }

    /// The caller of `method`, who may call it. `message` is the request where [`Self::needs_message`] asks for it.
    pub async fn admit(
        &self,
        method: &MethodInfo,
        headers: &HeaderMap,
        message: Option<Bytes>,
    ) -> Result<Principal, Status> {
        let principal = if method.is_public() {
            // A key on a public method is not looked at: it could only make the answer depend on it.
            self.links.principal(method, message.unwrap_or_default())
        } else {
            let principal = self.keys.verify(&presented(headers)?).await?;
            if !principal.may(method.permission) {
                return Err(status::permission_denied(method.permission.as_str_name()));
            }
            principal
        };
        self.rates.take(&principal.subject)?;
        Ok(principal)
    }

    /// The caller behind a credential, as of now: for streams that outlive the check at their start.
    pub async fn verify(&self, credential: &Credential) -> Result<Principal, Status> {
        self.keys.verify(credential).await
    }
}

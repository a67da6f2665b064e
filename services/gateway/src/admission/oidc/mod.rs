//! Access tokens of the business's own issuer (OpenID Connect). What a token is believed for stands in `token`, the keys
//! of the issuer and their age in `ring`, the way to the issuer in `issuer`. Who the holder is in Karibu is not known here.

mod issuer;
mod ring;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use server::status;
use tonic::Status;

use issuer::Issuer;
use ring::{Found, Ring};
use token::{Head, Rules};

/// Which tokens are believed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of the issuer, letter by letter as it stands in its tokens.
    pub issuer: String,
    /// Audiences of which a token must name one; never empty.
    pub audiences: Vec<String>,
    /// File with the roots of the issuer's certificate; those of the machine if left out.
    pub roots: Option<PathBuf>,
}

/// Who a token was made for, by its issuer's own name.
#[derive(Debug)]
pub struct Login {
    /// The issuer.
    pub issuer: Arc<str>,
    /// Its name for the holder.
    pub subject: String,
    /// How long the token still holds.
    pub left: Duration,
}

/// Checks access tokens. Clones share the keys of the issuer.
#[derive(Clone, Debug)]
pub struct Oidc(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: Arc<str>,
    rules: Rules,
    ring: Ring,
}

impl Oidc {
    /// A check by these settings. The issuer is not asked before the first token comes, so it may be away at the start.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let given = settings.audiences.iter().all(|audience| !audience.is_empty());
        ensure!(given && !settings.audiences.is_empty(), "an issuer of access tokens needs --oidc-audience");
        let fetch = Issuer::new(&settings.issuer, settings.roots.as_deref())?.fetch();
        Ok(Self::with(&settings.issuer, &settings.audiences, Ring::new(fetch)))
    }

    fn with(issuer: &str, audiences: &[String], ring: Ring) -> Self {
        let rules = Rules::new(issuer, audiences);
        Self(Arc::new(Inner { issuer: issuer.into(), rules, ring }))
    }

    /// The holder of a token. UNAUTHENTICATED, without saying why, for one that is not believed; UNAVAILABLE when the
    /// keys of the issuer are not known and it cannot be asked.
    pub async fn verify(&self, token: &str) -> Result<Login, Status> {
        let head = Head::read(token).ok_or_else(status::unauthenticated)?;
        let key = match self.0.ring.find(&head.key_id).await {
            Found::Key(key) => key,
            Found::Unknown => return Err(status::unauthenticated()),
            Found::Away => return Err(status::unavailable("the issuer of access tokens")),
        };
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let holder = self.0.rules.check(token, &head, &key, now_s).ok_or_else(status::unauthenticated)?;
        Ok(Login { issuer: self.0.issuer.clone(), subject: holder.subject, left: holder.left })
    }
}

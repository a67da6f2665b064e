//! Keys made without a caller: the very first one, without which nobody could come in to make another, and one that the
//! operator of the machine asks for.

use anyhow::bail;
use commit::Refused;
use kernel::BranchScope;
use uuid::Uuid;

use crate::Office;
use crate::domain::{ADMIN, ApiKeyId, CreateApiKey, Grantor, Permission, Reach, Refusal, RegisterFirstKey};
use crate::grpc::key_text::KeyText;
use crate::grpc::wall_us;

/// How long the first start waits for the database.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Makes sure that an administrator can come in: registers the key text `given`, or a new one, unless a key was ever
/// made. Gives the text of the key if it was registered now, for showing it this once; replicas that start together
/// agree on one.
pub async fn ensure_first_key(office: &Office, given: Option<&str>) -> anyhow::Result<Option<String>> {
    let key = match given.map(str::trim) {
        Some(text) => match KeyText::read(text) {
            Some(key) => key,
            None => bail!("the first key is not the whole text of an API key (kb_..._..._..._...)"),
        },
        None => KeyText::generate(&office.key_environment, wall_us()),
    };
    if office.reads.has_api_key().await? {
        return Ok(None);
    }
    let verb = RegisterFirstKey { id: ApiKeyId(key.id), secret_hash: key.secret_hash };
    match office.door.submit(submission(), verb).await {
        Ok(_) => {
            tracing::info!(api_key_id = %key.id, "the first API key is registered");
            Ok(Some(key.into_text()))
        }
        Err(Refused::Refusal(Refusal::FirstKeyExists)) => Ok(None),
        Err(error) => bail!("cannot register the first API key: {error}"),
    }
}

/// Makes an administrator's key for whoever operates the machine, and gives its text.
pub async fn create_admin_key(office: &Office) -> anyhow::Result<String> {
    let wall_us = wall_us();
    let key = KeyText::generate(&office.key_environment, wall_us);
    let permissions = Permission::ALL.iter().copied().collect();
    let verb = CreateApiKey {
        grantor: Grantor { permissions, scope: BranchScope::All },
        id: ApiKeyId(key.id),
        secret_hash: key.secret_hash,
        display_name: "Operator's key".to_owned(),
        roles: vec![ADMIN.to_owned()],
        reach: Reach::All,
        staff_member: None,
        expires_at_us: None,
        wall_us,
    };
    match office.door.submit(submission(), verb).await {
        Ok(_) => Ok(key.into_text()),
        Err(error) => bail!("cannot make an administrator's key: {error}"),
    }
}

/// The text of a new key that is registered nowhere yet: for `KARIBU_BOOTSTRAP_KEY`. `environment` stands in its text.
pub fn new_key_text(environment: &str) -> String {
    KeyText::generate(environment, wall_us()).into_text()
}

fn submission() -> commit::Submission {
    commit::Submission {
        key: Uuid::now_v7(),
        fingerprint: 0,
        until: std::time::Instant::now() + PATIENCE,
        by: "system:operator".into(),
        trace: None,
        cause: None,
    }
}

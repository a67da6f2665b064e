//! The very first API key: without it nobody could come in to make another one.

use anyhow::bail;
use commit::Refused;
use uuid::Uuid;

use crate::Office;
use crate::domain::{ApiKeyId, Refusal, RegisterFirstKey};
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
    let submission = commit::Submission {
        key: Uuid::now_v7(),
        fingerprint: 0,
        until: std::time::Instant::now() + PATIENCE,
        by: "system:first-key".into(),
        trace: None,
    };
    match office.door.submit(submission, verb).await {
        Ok(_) => {
            tracing::info!(api_key_id = %key.id, "the first API key is registered");
            Ok(Some(key.into_text()))
        }
        Err(Refused::Refusal(Refusal::FirstKeyExists)) => Ok(None),
        Err(error) => bail!("cannot register the first API key: {error}"),
    }
}

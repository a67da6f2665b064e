//! Making a stream as it must be, and setting it right. A server echoes what it understood of a config, and an old one
//! ignores silently what it does not know: the echo is compared with what was asked for.

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};

use crate::link::{Stream, Wanted};
use crate::nats::Connection;
use crate::nats::calls::{is_not_found, standing};
use crate::source::BoxError;

impl Connection {
    pub(crate) async fn correct_stream(&self, wanted: &Wanted) -> Result<Option<Stream>, BoxError> {
        let (name, wanted) = (&wanted.name, config(wanted));
        let stream = match self.jetstream.get_stream(name).await {
            Ok(stream) => stream,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(difference) = difference(stream.cached_info(), &wanted) else {
            return Ok(Some(standing(stream.cached_info())?));
        };
        tracing::warn!(stream = name, difference, "the stream is not as it should be: correcting it");
        let info = self.jetstream.update_stream(corrected(stream.cached_info(), &wanted)).await?;
        match self::difference(&info, &wanted) {
            None => Ok(Some(standing(self.jetstream.get_stream(name).await?.cached_info())?)),
            Some(difference) => {
                Err(format!("the stream cannot be used: its {difference} is not as it should be").into())
            }
        }
    }

    pub(crate) async fn make_stream(&self, wanted: &Wanted, first_seq: i64) -> Result<Stream, BoxError> {
        let mut config = config(wanted);
        if first_seq > 1 {
            config.first_sequence = Some(u64::try_from(first_seq)?);
        }
        tracing::info!(stream = wanted.name, "making the stream");
        let stream = self.jetstream.create_stream(config.clone()).await?;
        if stream.cached_info().config.first_sequence != config.first_sequence {
            self.jetstream.delete_stream(&wanted.name).await?;
            return Err("this server cannot begin a stream at the floor of the log: it must be 2.10 or newer".into());
        }
        let Some(difference) = difference(stream.cached_info(), &config) else {
            return standing(stream.cached_info());
        };
        Err(format!("the stream cannot be used: its {difference} is not as it should be").into())
    }
}

fn config(wanted: &Wanted) -> Config {
    Config {
        name: wanted.name.clone(),
        subjects: vec![wanted.subjects.clone()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        num_replicas: wanted.replicas,
        max_age: wanted.max_age,
        max_messages: -1,
        max_bytes: -1,
        max_messages_per_subject: -1,
        deny_delete: true,
        description: Some(format!("events of {}, a copy of its event log", wanted.log)),
        ..Config::default()
    }
}

/// The first setting we depend on that the server does not keep as wanted: it echoes what it understood, and
/// an old one ignores silently what it does not know.
fn difference(info: &Info, wanted: &Config) -> Option<&'static str> {
    let is = &info.config;
    let checks = [
        ("subjects", is.subjects == wanted.subjects),
        ("retention", is.retention == wanted.retention),
        ("discard", is.discard == wanted.discard),
        ("storage", is.storage == wanted.storage),
        ("num_replicas", is.num_replicas == wanted.num_replicas),
        ("max_age", is.max_age == wanted.max_age),
        ("max_msgs", is.max_messages == wanted.max_messages),
        ("max_bytes", is.max_bytes == wanted.max_bytes),
        ("max_msgs_per_subject", is.max_messages_per_subject == wanted.max_messages_per_subject),
        ("deny_delete", is.deny_delete == wanted.deny_delete),
        ("no_ack", !is.no_ack),
        ("allow_rollup_hdrs", !is.allow_rollup),
        ("mirror", is.mirror.is_none()),
        ("sources", is.sources.as_ref().is_none_or(Vec::is_empty)),
        ("sealed", !is.sealed),
    ];
    checks.into_iter().find(|(_, fits)| !fits).map(|(name, _)| name)
}

/// The config as the server keeps it, with what we depend on set right.
fn corrected(info: &Info, wanted: &Config) -> Config {
    Config {
        subjects: wanted.subjects.clone(),
        retention: wanted.retention,
        discard: wanted.discard,
        num_replicas: wanted.num_replicas,
        max_age: wanted.max_age,
        max_messages: wanted.max_messages,
        max_bytes: wanted.max_bytes,
        max_messages_per_subject: wanted.max_messages_per_subject,
        deny_delete: true,
        no_ack: false,
        allow_rollup: false,
        ..info.config.clone()
    }
}

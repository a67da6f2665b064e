//! Personal data of one process: the master keys, what is kept for how long, and the housekeeping that follows from it.
//! The keys themselves live in the vault and the write path; which texts are personal is for the services.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use commit::{Door, Erasures, KeyRing};
use uuid::Uuid;
use vault::MasterKeys;

use crate::config::PrivacyConfig;
use crate::kit::Kit;
use crate::read_audit::ReadAudits;

/// How often what is past its time is looked for.
const HOUSEKEEPING_PERIOD: Duration = Duration::from_secs(600);
/// How often erased customers are looked for whose rows are left.
const ERASURE_PERIOD: Duration = Duration::from_secs(1);
/// Erased customers that are taken up in one look.
const MAX_ERASURES: i64 = 20;
/// Records that one transaction rewrites.
const MAX_REWRITTEN: i64 = 50;
/// Name of the file of master keys that is made beside a SQLite database at its first start.
const KEY_FILE: &str = "master-keys";

/// How long answers are kept for repeats, unless the settings say otherwise.
const ANSWERS_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// The master keys of a process, and what it keeps for how long. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Privacy {
    /// What keys of customers are wrapped by, when it is given from outside. A SQLite database has its own beside it.
    pub master_keys: Option<MasterKeys>,
    /// How long answers are kept for repeats.
    pub answers_kept: Duration,
    /// Whether reads of personal data are noted in the audit trail.
    pub audit_reads: bool,
    /// Where they are noted, by service.
    pub(crate) reads: ReadAudits,
    /// For databases of one process that are no SQLite files, which only tests have.
    spare: Option<MasterKeys>,
}

impl Privacy {
    /// For a process with everything in it.
    pub(crate) fn embedded() -> Self {
        let spare = Some(MasterKeys::ephemeral());
        Self { master_keys: None, answers_kept: ANSWERS_KEPT, audit_reads: false, reads: ReadAudits::default(), spare }
    }

    /// What the settings say.
    pub fn of(config: &PrivacyConfig) -> anyhow::Result<Self> {
        let master_keys = match (&config.master_keys, &config.master_key_file) {
            (Some(text), _) => Some(MasterKeys::parse(text)?),
            (None, Some(path)) => Some(MasterKeys::read(path)?),
            (None, None) => None,
        };
        let (answers_kept, audit_reads) = (config.keep_answers, config.audit_reads);
        Ok(Self { master_keys, answers_kept, audit_reads, reads: ReadAudits::default(), spare: None })
    }

    /// The same under these settings.
    pub fn with(self, config: &PrivacyConfig) -> anyhow::Result<Self> {
        Ok(Self { spare: self.spare, ..Self::of(config)? })
    }

    /// The master keys for the database at `url`. Those beside a SQLite file are made at its first start; PostgreSQL,
    /// which replicas share, needs keys from outside.
    fn keys_for(&self, url: &str) -> anyhow::Result<MasterKeys> {
        if let Some(given) = &self.master_keys {
            return Ok(given.clone());
        }
        if let Some(file) = url.strip_prefix("sqlite:") {
            let folder = Path::new(file.trim_start_matches("//")).parent().unwrap_or(Path::new("."));
            return Ok(MasterKeys::open_or_create(&folder.join(KEY_FILE))?);
        }
        self.spare.clone().context("personal data needs master keys: give --master-key-file or --master-keys")
    }
}

impl Kit {
    /// The settings of this service's write path.
    pub fn write_path(&self) -> anyhow::Result<commit::Options> {
        let master_keys = self.privacy.keys_for(&self.database)?;
        Ok(commit::Options { master_keys, ..commit::Options::default() })
    }

    /// Rewrites the rows of erased customers until none is left, and forgets the keys that are remembered for reads.
    /// `rewrite` takes a customer and the most records of one go; it says whether that was the last of them.
    pub fn erase<W, F>(&self, db: &store::Db, keys: &KeyRing, rewrite: W)
    where
        W: Fn(Uuid, i64) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<bool>> + Send,
    {
        let (erasures, keys) = (Erasures::new(db.clone()), keys.clone());
        self.every("erasures", ERASURE_PERIOD, move || {
            let (erasures, keys, rewrite) = (erasures.clone(), keys.clone(), rewrite.clone());
            async move {
                for customer in erasures.list_open(MAX_ERASURES).await? {
                    keys.forget();
                    while !rewrite(customer, MAX_REWRITTEN).await? {}
                }
                Ok(())
            }
        });
    }

    /// Opens the keys of this service's customers, notes reads of personal data where that is wanted, and starts the housekeeping of its write path: keys come under the
    /// newest master key, and answers go when their time is over.
    pub async fn open_keys<S: commit::Service>(&self, db: &store::Db, door: &Door<S>) -> anyhow::Result<KeyRing> {
        let commit::Options { master_keys, .. } = self.write_path()?;
        let ring = KeyRing::start(db.clone(), door, master_keys).await?;
        if self.privacy.audit_reads {
            self.tasks.spawn(self.privacy.reads.start(door.clone(), self.stop.clone()));
        }
        let (keys, keeper) = (ring.clone(), door.clone());
        self.every("keys under the newest master key", HOUSEKEEPING_PERIOD, move || {
            let (ring, door) = (keys.clone(), keeper.clone());
            async move {
                let rewrapped = ring.rewrap(&door).await?;
                if rewrapped > 0 {
                    tracing::info!(rewrapped, "keys came under the newest master key");
                }
                Ok(())
            }
        });
        let (clock, keeper, kept) = (self.clock.clone(), door.clone(), self.privacy.answers_kept);
        self.every("answers past their time", HOUSEKEEPING_PERIOD, move || {
            let (clock, door) = (clock.clone(), keeper.clone());
            async move {
                let kept_us = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
                let forgotten = door.forget_answers(clock.now_us().saturating_sub(kept_us)).await;
                forgotten.map(drop).map_err(|refused| anyhow::anyhow!("answers could not be taken away: {refused}"))
            }
        });
        Ok(ring)
    }
}

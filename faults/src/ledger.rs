//! The ledger of a run: a file of lines, on disk before the caller goes on, that says what was asked and what was answered.
//! What is checked later is what stands in the file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A sale, which earns points.
    Purchase,
    /// Points given or taken by hand.
    Adjust,
    /// A complaint is opened.
    Open,
    /// It is acknowledged.
    Acknowledge,
    /// Its paraphrase is confirmed.
    Understand,
    /// It gets an owner.
    Assign,
    /// Its investigation begins.
    Investigate,
    /// A finding is recorded.
    Find,
    /// Points are offered.
    Offer,
    /// The customer takes them.
    Choose,
}

/// A command as it was sent; its repeats carry the same request id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Key of the request.
    pub request_id: String,
    /// What it does.
    pub kind: Kind,
    /// Text that is in what it makes and nowhere else: receipt number, reason code, subject.
    pub key: String,
    /// Whom it is about.
    pub customer_id: String,
    /// The complaint that it moves; empty for the other kinds.
    pub complaint_id: String,
    /// What it adds to the customer's points in the end.
    pub points: i64,
}

/// How a command ended for its caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was acknowledged: what it made or moved, and the version told.
    Acknowledged {
        /// UUID of the purchase, ledger entry or complaint.
        id: String,
        /// Version of it; empty if it has none.
        etag: String,
    },
    /// It was refused for good, with this reason.
    Refused(String),
    /// The caller went away without an answer.
    GivenUp,
}

#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Asked(Asked),
    Ended { request_id: String, outcome: Outcome },
}

/// The open file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl Ledger {
    /// A new file at `path`.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file: Arc::new(Mutex::new(file)) })
    }

    /// Notes what is about to be sent.
    pub async fn asked(&self, asked: Asked) -> anyhow::Result<()> {
        self.write(Line::Asked(asked)).await
    }

    /// Notes how it ended.
    pub async fn ended(&self, request_id: &str, outcome: Outcome) -> anyhow::Result<()> {
        self.write(Line::Ended { request_id: request_id.to_owned(), outcome }).await
    }

    async fn write(&self, line: Line) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&text)?;
            file.sync_data()
        })
        .await??;
        Ok(())
    }

    /// Reads the file: every command with its outcome. One without an outcome was given up.
    pub fn read(&self) -> anyhow::Result<Vec<(Asked, Outcome)>> {
        let mut found: BTreeMap<String, (Asked, Outcome)> = BTreeMap::new();
        for line in BufReader::new(File::open(&self.path)?).lines() {
            match serde_json::from_str(&line?)? {
                Line::Asked(asked) => {
                    found.insert(asked.request_id.clone(), (asked, Outcome::GivenUp));
                }
                Line::Ended { request_id, outcome } => {
                    found.get_mut(&request_id).context("an answer without a question")?.1 = outcome;
                }
            }
        }
        Ok(found.into_values().collect())
    }
}

//! The databases of the simulation: real SQLite files, used again by one seed after another of the same thread. They do
//! not wait for the disk: a crash here is the end of a process, never of the machine.

use std::path::Path;

use commit::{Door, Service};
use store::{Db, Migrations, Options, Sql};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};

use super::shops::{TALLY_MIGRATIONS, TILL_MIGRATIONS};

/// Databases, and the runtime that looks after their connections.
pub(crate) struct Stage {
    pub(crate) till: Db,
    pub(crate) tally: Db,
    /// Of a tally that is built at the end, from the first event on.
    pub(crate) late: Db,
    elsewhere: Runtime,
    _folder: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let open = |name: &str, migrations| elsewhere.block_on(open(folder.path(), name, migrations));
        let (till, tally) = (open("till", TILL_MIGRATIONS), open("tally", TALLY_MIGRATIONS));
        let late = open("late", TALLY_MIGRATIONS);
        let [till, tally, late] = [till, tally, late].map(|db| db.blocking(elsewhere.handle().clone()));
        Self { till, tally, late, elsewhere, _folder: folder }
    }

    pub(crate) fn elsewhere(&self) -> &Handle {
        self.elsewhere.handle()
    }

    /// Empties all tables.
    pub(crate) fn reset(&self) {
        self.elsewhere.block_on(async {
            self.run(&self.till, TILL_RESET).await;
            self.run(&self.tally, TALLY_RESET).await;
            self.run(&self.late, TALLY_RESET).await;
        });
    }

    /// Takes back what a process has begun and not committed before it died.
    pub(crate) async fn bury(&self, db: &Db) {
        self.run(db, &[]).await;
    }

    /// Runs statements in one transaction, on the connection for writing: nobody else may have it.
    pub(crate) async fn run(&self, db: &Db, statements: &[Sql]) {
        let _elsewhere = self.elsewhere.enter();
        let mut conn = db.writer().await.unwrap();
        // An error says that nothing was begun.
        let _ = conn.rollback().await;
        if statements.is_empty() {
            return;
        }
        let _: (i64,) = conn.begin(Sql::same("begin immediate; select id from log_head")).await.unwrap();
        for statement in statements {
            conn.execute(*statement, &[]).await.unwrap();
        }
        conn.commit().await.unwrap();
    }
}

async fn open(folder: &Path, name: &str, migrations: Migrations) -> Db {
    let path = folder.join(format!("{name}.db"));
    let db = Db::open(&Options::new(format!("sqlite:{}", path.display()), "simulation")).await.unwrap();
    db.migrate(&[commit::MIGRATIONS, migrations]).await.unwrap();
    db.writer().await.unwrap().execute(Sql::same("pragma synchronous = off"), &[]).await.unwrap();
    db
}

const HEAD: Sql = Sql::same("update log_head set epoch = 1, last_seq = 0, floor_seq = 1, settings_version = 1");

const TILL_RESET: &[Sql] = &[
    HEAD,
    Sql::same("delete from event_log"),
    Sql::same("delete from request"),
    Sql::same("delete from basket"),
    Sql::same("delete from reminder"),
];

const TALLY_RESET: &[Sql] = &[
    HEAD,
    Sql::same("delete from consumer"),
    Sql::same("delete from dead_letter"),
    Sql::same("delete from parked_key"),
    Sql::same("delete from total"),
    Sql::same("delete from entry"),
];

/// How many commands a committer takes at most, so that a run has many batches.
pub(crate) const BATCH: usize = 6;

/// A write path on `db`: its door, and its committer as a task of its own.
pub(crate) async fn write_path<S: Service>(
    db: &Db,
    clock: &kernel::Clock,
    seed: u64,
) -> (Door<S>, impl Future<Output = ()> + Send + use<S>) {
    let options = commit::Options { queue: 64, batch: BATCH, seed };
    commit::assemble(db.clone(), clock.clone(), options).await.unwrap()
}

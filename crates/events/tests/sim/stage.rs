//! The databases of the simulation: real SQLite files, used again by one seed after another of the same thread. They do
//! not wait for the disk: a crash here is the end of a process, never of the machine.

use std::path::Path;

use commit::{Door, Service};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
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
    folder: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let open = |name: &str, migrations| elsewhere.block_on(open(folder.path(), name, migrations));
        let (till, tally) = (open("till", TILL_MIGRATIONS), open("tally", TALLY_MIGRATIONS));
        let late = open("late", TALLY_MIGRATIONS);
        let [till, tally, late] = [till, tally, late].map(|db| db.blocking(elsewhere.handle().clone()));
        Self { till, tally, late, elsewhere, folder }
    }

    pub(crate) fn elsewhere(&self) -> &Handle {
        self.elsewhere.handle()
    }

    /// Empties all tables.
    pub(crate) fn reset(&self) {
        self.elsewhere.block_on(async {
            self.run(&self.till, Some(TILL_RESET)).await;
            self.run(&self.tally, Some(TALLY_RESET)).await;
            self.run(&self.late, Some(TALLY_RESET)).await;
        });
    }

    /// Puts the till back to where its log ended with `to`, from outside, as an operator does.
    pub(crate) fn restore_till(&self, to: i64) {
        let (done, wait) = std::sync::mpsc::channel();
        let file = SqliteConnectOptions::new().filename(self.folder.path().join("till.db"));
        self.elsewhere.spawn(async move {
            let mut operator = file.connect().await.unwrap();
            for text in ["delete from event_log where seq > $1", "update log_head set last_seq = $1"] {
                sqlx::query(text).bind(to).execute(&mut operator).await.unwrap();
            }
            operator.close().await.unwrap();
            done.send(()).unwrap();
        });
        wait.recv().unwrap();
    }

    /// Takes back what a process has begun and not committed before it died.
    pub(crate) async fn bury(&self, db: &Db) {
        self.run(db, None).await;
    }

    /// Runs the statements of a text, the last of which gives a number, on the connection for writing: nobody else may
    /// have it.
    async fn run(&self, db: &Db, text: Option<Sql>) {
        let _elsewhere = self.elsewhere.enter();
        let mut conn = db.writer().await.unwrap();
        // An error says that nothing was begun.
        let _ = conn.rollback().await;
        if let Some(text) = text {
            let _: (i64,) = conn.begin(text).await.unwrap();
        }
    }
}

async fn open(folder: &Path, name: &str, migrations: Migrations) -> Db {
    let path = folder.join(format!("{name}.db"));
    let options = Options::new(format!("sqlite:{}", path.display()), "simulation");
    let db = Db::open(&Options { read_connections: READERS, ..options }).await.unwrap();
    db.migrate(&[commit::MIGRATIONS, migrations]).await.unwrap();
    let careless = Sql::same("pragma synchronous = off");
    db.writer().await.unwrap().execute(careless, &[]).await.unwrap();
    // Those for reading too, each one while the others are busy: they make checkpoints.
    let readers = (0..READERS).map(|_| db.fetch_all::<(i64,)>(careless, &[]));
    futures_util::future::try_join_all(readers).await.unwrap();
    db
}

const TILL_RESET: Sql = Sql::same(
    "begin; update log_head set epoch = 1, last_seq = 0, floor_seq = 1, settings_version = 1; delete from event_log; \
     delete from request; delete from basket; delete from reminder; commit; select 1",
);

const TALLY_RESET: Sql = Sql::same(
    "begin; update log_head set epoch = 1, last_seq = 0, floor_seq = 1, settings_version = 1; delete from consumer; \
     delete from dead_letter; delete from parked_key; delete from total; delete from entry; commit; select 1",
);

/// Connections for reading.
const READERS: u32 = 2;

/// How many commands a committer takes at most, so that a run has many batches.
pub(crate) const BATCH: usize = 6;

/// A write path on `db` that takes up to `batch` commands: its door, and its committer as a task of its own.
pub(crate) async fn write_path<S: Service>(
    db: &Db,
    clock: &kernel::Clock,
    seed: u64,
    batch: usize,
) -> (Door<S>, impl Future<Output = ()> + Send + use<S>) {
    // The ids of a process that is started again in the same millisecond must come behind those of the one before.
    clock.advance_us(1_000);
    let options = commit::Options { queue: 256, batch, seed, ..commit::Options::default() };
    commit::assemble(db.clone(), clock.clone(), options).await.unwrap()
}

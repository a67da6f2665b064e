//! A database that is restored to an older state behind its stream: the relay says so and halts, writes go on, nothing is
//! published until an operator decides, and the runbook of docs/reliability.md gets all going again (R10).

use std::time::Duration;

use karibu_faults::asks::{Answer, purchase};
use karibu_faults::facts::progress;
use karibu_faults::place::{Place, Process};
use karibu_faults::streams;
use karibu_faults::world::World;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testkit::assert_eventually;

const SOON: Duration = Duration::from_secs(60);
const POINTS: i64 = 7;

/// The suite, and what an operator does to it.
struct Scene {
    place: Place,
    world: World,
    database: String,
}

impl Scene {
    async fn set() -> Self {
        let place = Place::start(1, &[]).await.unwrap();
        let world = World::make(&place.client(0).await.unwrap()).await.unwrap();
        let url = place.database("profile").unwrap();
        let database = url.rsplit('/').next().unwrap().to_owned();
        Self { place, world, database }
    }

    fn profile(&self) -> &Process {
        self.place.process("profile-0").unwrap()
    }

    /// Runs a statement on a database of the server; names are our own.
    async fn run(&self, url: &str, statement: String) {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }

    async fn on_server(&self, statement: String) {
        self.run(&self.place.postgres.url("postgres"), statement).await;
    }

    async fn on_service(&self, service: &str, statement: String) {
        self.run(self.place.database(service).unwrap(), statement).await;
    }

    /// Sells `count` times to a customer, patiently.
    async fn sell(&self, customer: usize, name: &str, count: usize) {
        let karibu = self.place.client(0).await.unwrap();
        for number in 0..count {
            let (key, who) = (format!("{name}-{number}"), &self.world.customers[customer].0);
            let ask = purchase(&self.world, &key, &key, who, POINTS * 100);
            let sold: Answer = client::patiently(SOON, || ask.send(&karibu)).await.unwrap();
            assert!(!sold.id.is_empty());
        }
    }

    async fn head(&self) -> i64 {
        progress(&self.place, "profile").await.unwrap().0
    }

    /// Waits until the stream holds the log to its head, and loyalty has read it.
    async fn all_even(&self) {
        assert_eventually(SOON, || async {
            let head = self.head().await;
            let held = streams::read(&self.place.nats, "profile").await.map_err(|error| error.to_string())?;
            let (_, cursors) = progress(&self.place, "loyalty").await.map_err(|error| error.to_string())?;
            let read = cursors.iter().find(|cursor| cursor.source_log == "profile").map_or(0, |cursor| cursor.cursor);
            let even = held.last == head.unsigned_abs() && read == head;
            even.then_some(()).ok_or_else(|| format!("log {head}, stream {}, loyalty {read}", held.last))
        })
        .await;
    }

    async fn points(&self, customer: usize) -> i64 {
        let statement = "select available from account where customer_id = $1";
        let mut connection = PgConnection::connect(self.place.database("loyalty").unwrap()).await.unwrap();
        let who: uuid::Uuid = self.world.customers[customer].0.parse().unwrap();
        sqlx::query_scalar(statement).bind(who).fetch_one(&mut connection).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_database_halts_its_relay_until_an_operator_decides() {
    let scene = Scene::set().await;
    scene.sell(0, "before", 3).await;
    scene.all_even().await;

    // The backup; then business goes on.
    scene.profile().kill();
    let (database, backup) = (&scene.database, format!("{}_backup", scene.database));
    scene.on_server(format!("create database {backup} template {database}")).await;
    let kept = scene.head().await;
    scene.profile().start();
    scene.sell(1, "lost", 5).await;
    scene.all_even().await;
    assert_eq!(scene.points(1).await, 5 * POINTS);
    let ahead = streams::read(&scene.place.nats, "profile").await.unwrap();

    // Somebody restores the backup over it.
    scene.profile().kill();
    scene.on_server(format!("drop database {database} with (force)")).await;
    scene.on_server(format!("alter database {backup} rename to {database}")).await;
    scene.profile().start();
    assert_eventually(SOON, || async { scene.profile().log().contains("forked: relay halted") }).await;

    // Writes go on, even past the old head, and nothing of them is published.
    scene.sell(2, "after", 8).await;
    assert!(scene.head().await > ahead.last.cast_signed());
    let held = streams::read(&scene.place.nats, "profile").await.unwrap();
    assert_eq!(held.messages, ahead.messages, "the stream stays as evidence of what the database lost");
    assert_eq!(scene.points(2).await, 0);

    // The operator decides: what is lost is lost. Runbook, steps 3 and 4.
    scene.profile().kill();
    scene.on_service("profile", "update log_head set epoch = epoch + 1".to_owned()).await;
    streams::delete(&scene.place.nats, "profile").await.unwrap();
    scene.profile().start();
    let loyalty = scene.place.process("loyalty-0").unwrap();
    assert_eventually(SOON, || async { loyalty.log().contains("a consumer halted") }).await;
    assert_eq!(scene.points(2).await, 0, "a consumer does not guess either");
    let mend = format!("update consumer set epoch = epoch + 1, \"cursor\" = {kept} where source_log = 'profile'");
    scene.on_service("loyalty", mend).await;
    scene.all_even().await;
    assert_eq!(scene.points(2).await, 8 * POINTS, "each sale after the restore earned once");
    assert_eq!(scene.points(0).await, 3 * POINTS, "and none before it again");
    let held = streams::read(&scene.place.nats, "profile").await.unwrap();
    assert_eq!(held.messages.len() as i64, scene.head().await, "the stream tells the history of the database");
}

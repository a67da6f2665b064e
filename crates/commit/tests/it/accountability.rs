//! Who did what: every event carries its cause, the trail is found by record, actor, time and branch, and what is
//! stored for repeats is what the answer says.

use std::time::Duration;

use commit::{Answer, AuditFilter, AuditLog, AuditNote, Cause, CauseParts, Cx, Options, Stop, Submission, Verb};
use kernel::{BranchScope, Clock};
use store::{Db, Options as DbOptions, Sql, Uuid};
use testkit::Postgres;

use crate::bank::{Bank, Open, Pay, Receipt, Refusal, Vault, fresh, keyed};
use crate::engines::{self, both};

fn everything() -> AuditFilter {
    let (who, start_us, end_us) = (String::new(), i64::MIN, i64::MAX);
    AuditFilter { scope: BranchScope::All, who, record: None, customer: None, start_us, end_us }
}

fn by(who: &str, act: &str) -> Submission {
    Submission { cause: Some(Cause::new(CauseParts { kind: "staff", from: "public", act, who })), ..fresh() }
}

#[tokio::test]
async fn every_change_is_found_with_its_cause() {
    for bench in both().await {
        let clock = Clock::manual(1_000);
        let door = commit::start::<Bank>(bench.db.clone(), clock.clone(), Options::default()).await.unwrap();
        let trail = AuditLog::new(bench.db.clone());
        let mine = door.submit(by("ann", "OpenAccount"), Open("a".into())).await.unwrap().account();
        clock.advance_us(1_000);
        let other = door.submit(by("joann", "OpenAccount"), Open("b".into())).await.unwrap().account();
        clock.advance_us(1_000);
        door.submit(by("ben", "Pay"), Pay(mine, 5)).await.unwrap();
        door.submit(by("ben", "Pay"), Pay(mine, 2_000_000)).await.unwrap_err();
        door.fire("timer", Pay(other, 1)).await.unwrap();

        let (all, next) = trail.changes(&everything(), None, 10).await.unwrap();
        let told: Vec<_> = all.iter().map(|change| (change.seq, change.caused_by.clone().unwrap())).collect();
        let cause = |seq, text: &str| (seq, text.to_owned());
        assert_eq!(
            told,
            [
                cause(4, "timer - - timer"),
                cause(3, "staff public Pay ben"),
                cause(2, "staff public OpenAccount joann"),
                cause(1, "staff public OpenAccount ann")
            ],
            "{}: newest first, and a refusal leaves no trace",
            bench.name
        );
        assert_eq!(next, None);
        assert_eq!((all[1].aggregate_id, all[1].aggregate_version), (mine, 2), "from version 1 to 2");

        let of = async |filter: AuditFilter| {
            let (found, _) = trail.changes(&filter, None, 10).await.unwrap();
            found.iter().map(|change| change.seq).collect::<Vec<_>>()
        };
        assert_eq!(of(AuditFilter { who: "ann".into(), ..everything() }).await, [1], "not who is merely called alike");
        assert_eq!(of(AuditFilter { record: Some(mine), ..everything() }).await, [3, 1]);
        assert_eq!(of(AuditFilter { start_us: 2_000, end_us: 3_000, ..everything() }).await, [2]);
        assert_eq!(of(AuditFilter { end_us: 2_000, ..everything() }).await, [1]);
        assert_eq!(of(AuditFilter { start_us: 9_000, ..everything() }).await, [0_i64; 0]);
        assert_eq!(of(AuditFilter { scope: BranchScope::only([Uuid::nil()]), ..everything() }).await, [4, 3, 2, 1]);
        assert_eq!(of(AuditFilter { scope: BranchScope::only([Uuid::max()]), ..everything() }).await, [0_i64; 0]);

        let (page, next) = trail.changes(&everything(), None, 3).await.unwrap();
        assert_eq!((page.len(), next), (3, Some(2)));
        let (page, next) = trail.changes(&everything(), next, 3).await.unwrap();
        assert_eq!((page.len(), next), (1, None));
    }
}

#[tokio::test]
async fn what_leaves_no_event_is_noted() {
    for bench in both().await {
        let door = bench.door().await;
        let note = |act, customer| AuditNote {
            cause: Cause::new(CauseParts { kind: "staff", from: "private", act, who: "ann" }),
            record_type: "customer".into(),
            record_id: Some(Uuid::from_u128(7)),
            customer,
            branch: None,
            items: 2,
            reason: Some("a lawyer's CANARY".into()),
            trace: None,
        };
        door.note(vec![note("GetCustomer", Some(Uuid::from_u128(1))), note("DiscardDeadLetters", None)]).await.unwrap();
        door.note(Vec::new()).await.unwrap();
        let trail = AuditLog::new(bench.db.clone());
        let notes = trail.notes(&everything(), None, 10).await.unwrap();
        let acts: Vec<_> = notes.iter().map(|note| note.caused_by.as_str()).collect();
        assert_eq!(acts, ["staff private DiscardDeadLetters ann", "staff private GetCustomer ann"], "{}", bench.name);
        let sealed = notes[0].reason.as_deref().unwrap();
        assert!(sealed.len() > 17 && !sealed.windows(6).any(|part| part == b"CANARY"), "the reason is sealed");
        assert_eq!(trail.notes(&everything(), Some(notes[0].id), 10).await.unwrap().len(), 1);
        let of_customer = AuditFilter { customer: Some(Uuid::from_u128(1)), ..everything() };
        assert_eq!(trail.notes(&of_customer, None, 10).await.unwrap().len(), 1);
        let in_branch = AuditFilter { scope: BranchScope::only([Uuid::nil()]), ..everything() };
        assert!(trail.notes(&in_branch, None, 10).await.unwrap().is_empty(), "without a branch: for all branches only");
    }
}

#[tokio::test]
async fn answers_are_forgotten_when_their_time_is_over() {
    for bench in both().await {
        let clock = Clock::manual(1_000);
        let door = commit::start::<Bank>(bench.db.clone(), clock.clone(), Options::default()).await.unwrap();
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        door.submit(keyed(1, 1), Pay(id, 5)).await.unwrap();
        clock.advance_us(1_000);
        door.submit(keyed(2, 1), Pay(id, 5)).await.unwrap();
        assert_eq!(door.forget_answers(2_000).await.unwrap(), 2, "{}", bench.name);
        assert_eq!(door.forget_answers(2_000).await.unwrap(), 0);
        assert_eq!(door.submit(keyed(2, 1), Pay(id, 5)).await.unwrap().balance, 10, "a young one still answers");
        assert_eq!(door.submit(keyed(1, 1), Pay(id, 5)).await.unwrap().balance, 15, "an old one is new again");
        let notes = AuditLog::new(bench.db.clone()).notes(&everything(), None, 10).await.unwrap();
        assert_eq!(notes.iter().map(|note| note.items).collect::<Vec<_>>(), [2]);
    }
}

/// An answer with a text that must not be stored.
struct Told(Uuid);

impl Answer for Told {
    type Wire = Receipt;
    fn to_wire(&self) -> Receipt {
        Receipt { account: b"a personal text".to_vec(), balance: 5 }
    }
    fn to_stored(&self) -> Option<Receipt> {
        Some(Receipt { account: self.0.as_bytes().to_vec(), balance: 0 })
    }
}

struct Ask(Uuid);

impl Verb<Bank> for Ask {
    type Reply = Told;
    fn decide(&self, _: &mut Vault, _: &mut Cx<'_, Bank>) -> Result<Told, Stop<Refusal>> {
        Ok(Told(self.0))
    }
}

#[tokio::test]
async fn a_repeat_gets_what_was_stored_in_place_of_personal_text() {
    for bench in both().await {
        let door = bench.door().await;
        let first = door.submit(keyed(1, 1), Ask(Uuid::max())).await.unwrap();
        assert_eq!(first.account, b"a personal text", "{}", bench.name);
        let again = door.submit(keyed(1, 1), Ask(Uuid::max())).await.unwrap();
        assert_eq!((again.account(), again.balance), (Uuid::max(), 0));
        let twins = tokio::join!(
            door.submit(keyed(2, 1), Ask(Uuid::max())),
            door.submit(
                Submission { until: std::time::Instant::now() + Duration::from_secs(9), ..keyed(2, 1) },
                Ask(Uuid::max())
            )
        );
        assert_eq!((twins.0.unwrap().balance, twins.1.unwrap().balance), (5, 0), "also in one batch");
    }
}

const LOGIN: Sql = Sql::same(
    "do $$ begin create role karibu_plain login createrole; exception when duplicate_object then null; end $$",
);
const GRANT: Sql = Sql::same("grant all on schema public to karibu_plain");
const CHANGES: [Sql; 4] = [
    Sql::same("update event_log set caused_by = null"),
    Sql::same("delete from event_log"),
    Sql::same("update audit_log set caused_by = ''"),
    Sql::same("delete from audit_log"),
];

/// On PostgreSQL by grants, which a superuser passes: so the service runs as a login like that of a business.
#[tokio::test]
async fn whoever_runs_the_service_can_only_add_to_the_trail() {
    let server = Postgres::start().await;
    let url = server.database("trail").await;
    let admin = Db::open(&DbOptions::new(&url, "admin")).await.unwrap();
    let mut conn = admin.writer().await.unwrap();
    conn.execute(LOGIN, &[]).await.unwrap();
    conn.execute(GRANT, &[]).await.unwrap();
    let (scheme, place) = url.split_once("://").unwrap();
    let (_, place) = place.split_once('@').unwrap();
    let plain = engines::open(&format!("{scheme}://karibu_plain@{place}")).await;
    let door = commit::start::<Bank>(plain.clone(), Clock::system(), Options::default()).await.unwrap();
    door.submit(by("ann", "OpenAccount"), Open("a".into())).await.unwrap();
    let mut conn = plain.writer().await.unwrap();
    for change in CHANGES {
        let refused = conn.execute(change, &[]).await.unwrap_err();
        assert!(format!("{refused:?}").contains("permission denied"), "{change:?}: {refused:?}");
    }
    let (changes, _) = AuditLog::new(plain).changes(&everything(), None, 10).await.unwrap();
    assert_eq!(changes.len(), 1);
}

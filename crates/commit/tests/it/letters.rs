//! Letters of account holders: texts that are only ever added, so they are sealed under keys that can be destroyed.

use base64::Engine;
use commit::{Append, Cx, Door, KeyRing, KeyRingError, Options, Stop, Verb};
use kernel::Clock;
use store::{Db, Kind, OnConflict, Rows, Sql, Table, Uuid};
use vault::{KeyFault, MasterKeys};

use crate::bank::{Bank, Open, Refusal, Vault, fresh};
use crate::engines::{Bench, both};

/// A text about an account.
#[derive(Debug)]
pub struct Letter {
    pub id: Uuid,
    pub account_id: Uuid,
    pub body: String,
}

static LETTER: Table =
    Table::new("letter", 1, &[("id", Kind::Uuid), ("account_id", Kind::Uuid), ("body", Kind::Bytes)], OnConflict::Fail);

impl Append for Letter {
    const TABLE: &'static Table = &LETTER;
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).uuid(self.account_id).sealed(self.account_id, self.id, &self.body);
    }
}

/// Adds a letter.
pub struct Write(pub Uuid, pub &'static str);

impl Verb<Bank> for Write {
    type Reply = ();
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<(), Stop<Refusal>> {
        w.letters.push(Letter { id: cx.new_id(), account_id: self.0, body: self.1.to_owned() });
        Ok(())
    }
}

/// Destroys the key of an account holder.
pub struct Forget(pub Uuid);

impl Verb<Bank> for Forget {
    type Reply = ();
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<(), Stop<Refusal>> {
        w.keys.destroy(self.0, cx.now_us)?;
        w.erasures.begin(self.0, Uuid::nil(), cx.now_us)?;
        Ok(())
    }
}

const LETTERS: Sql = Sql::same("select account_id, id, body from letter where account_id = $1 order by id");
const SWAP: Sql = Sql::same("update letter set body = $2 where id = $1");

type Row = (Uuid, Uuid, Vec<u8>);

async fn stored(db: &Db, account: Uuid) -> Vec<Row> {
    db.fetch_all(LETTERS, store::args![account]).await.unwrap()
}

async fn read(ring: &KeyRing, db: &Db, account: Uuid) -> Vec<Option<String>> {
    let rows = stored(db, account).await;
    let sealed: Vec<_> = rows.iter().map(|(subject, id, body)| (*subject, *id, body.as_slice())).collect();
    ring.open("letter", "body", &sealed).await.unwrap()
}

/// A master key whose bytes are all `byte`.
fn line(id: &str, byte: u8) -> String {
    format!("{id}:{}", base64::engine::general_purpose::STANDARD.encode([byte; 32]))
}

async fn open(bench: &Bench, keys: &[(&str, u8)]) -> (Door<Bank>, Result<KeyRing, KeyRingError>) {
    let text: Vec<String> = keys.iter().map(|(id, byte)| line(id, *byte)).collect();
    let master_keys = MasterKeys::parse(&text.join("\n")).unwrap();
    let options = Options { master_keys: master_keys.clone(), ..Options::default() };
    let door = bench.door_with(options).await;
    let ring = KeyRing::start(bench.db.clone(), &door, master_keys).await;
    (door, ring)
}

#[tokio::test]
async fn a_sealed_text_opens_for_its_customer_until_the_key_is_destroyed() {
    for bench in both().await {
        let (door, ring) = open(&bench, &[("a", 1)]).await;
        let ring = ring.unwrap();
        let [ann, ben] = [Uuid::from_u128(1), Uuid::from_u128(2)];
        for (who, text) in [(ann, "CANARY of Ann"), (ann, "and more"), (ben, "Ben's")] {
            door.submit(fresh(), Write(who, text)).await.unwrap();
        }
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read(&ring, &bench.db, ann).await, [some("CANARY of Ann"), some("and more")], "{}", bench.name);
        assert_eq!(read(&ring, &bench.db, ben).await, [some("Ben's")]);
        let rows = stored(&bench.db, ann).await;
        assert!(rows.iter().all(|(_, _, body)| !body.windows(6).any(|part| part == b"CANARY")));

        door.submit(fresh(), Forget(ann)).await.unwrap();
        ring.forget();
        assert_eq!(read(&ring, &bench.db, ann).await, [None, None]);
        assert_eq!(read(&ring, &bench.db, ben).await, [some("Ben's")], "nobody else lost anything");
        door.submit(fresh(), Write(ann, "too late")).await.unwrap();
        assert_eq!(read(&ring, &bench.db, ann).await, [None, None, None], "nothing is kept under a destroyed key");
        assert!(stored(&bench.db, ann).await[2].2.is_empty());
        door.submit(fresh(), Forget(ann)).await.unwrap();
    }
}

#[tokio::test]
async fn texts_and_destruction_in_one_batch_leave_nothing_readable() {
    for bench in both().await {
        let (door, ring) = open(&bench, &[("a", 1)]).await;
        let ann = Uuid::from_u128(1);
        let (first, gone, last) = tokio::join!(
            door.submit(fresh(), Write(ann, "before")),
            door.submit(fresh(), Forget(ann)),
            door.submit(fresh(), Write(ann, "after"))
        );
        first.unwrap();
        gone.unwrap();
        last.unwrap();
        assert_eq!(read(&ring.unwrap(), &bench.db, ann).await, [None, None], "{}", bench.name);
    }
}

#[tokio::test]
async fn ciphertext_moved_to_another_customer_does_not_open() {
    let bench = both().await.remove(1);
    let (door, ring) = open(&bench, &[("a", 1)]).await;
    let [ann, ben] = [Uuid::from_u128(1), Uuid::from_u128(2)];
    door.submit(fresh(), Write(ann, "of Ann")).await.unwrap();
    door.submit(fresh(), Write(ben, "of Ben")).await.unwrap();
    let (of_ann, of_ben) = (stored(&bench.db, ann).await.remove(0), stored(&bench.db, ben).await.remove(0));
    let mut conn = bench.db.writer().await.unwrap();
    conn.execute(SWAP, store::args![of_ben.1, of_ann.2.as_slice()]).await.unwrap();
    assert_eq!(read(&ring.unwrap(), &bench.db, ben).await, [None]);
}

#[tokio::test]
async fn master_keys_rotate_while_the_service_works() {
    for bench in both().await {
        let ann = Uuid::from_u128(1);
        {
            let (door, ring) = open(&bench, &[("a", 1)]).await;
            ring.unwrap();
            door.submit(fresh(), Write(ann, "under the old key")).await.unwrap();
            door.submit(fresh(), Forget(Uuid::from_u128(9))).await.unwrap();
        }
        let (door, ring) = open(&bench, &[("b", 2), ("a", 1)]).await;
        let ring = ring.unwrap();
        let blinded = ring.lookup_key().blind(b"ann@example.rw");
        door.submit(fresh(), Write(Uuid::from_u128(2), "under the new key")).await.unwrap();
        assert_eq!(ring.rewrap(&door).await.unwrap(), 2, "{}: of the service, and of Ann", bench.name);
        assert_eq!(ring.rewrap(&door).await.unwrap(), 0);
        drop((door, ring));
        let (_, ring) = open(&bench, &[("b", 2)]).await;
        let ring = ring.unwrap();
        assert_eq!(read(&ring, &bench.db, ann).await, [Some("under the old key".to_owned())]);
        assert_eq!(ring.lookup_key().blind(b"ann@example.rw"), blinded, "look-ups do not change");
    }
}

#[tokio::test]
async fn a_service_with_foreign_master_keys_does_not_start() {
    for bench in both().await {
        open(&bench, &[("a", 1)]).await.1.unwrap();
        let renamed = open(&bench, &[("b", 2)]).await.1.unwrap_err();
        assert!(matches!(&renamed, KeyRingError::Key(KeyFault::Unknown { id }) if id == "a"), "{renamed}");
        let other = open(&bench, &[("a", 3)]).await.1.unwrap_err();
        assert!(matches!(other, KeyRingError::Key(KeyFault::Unsealed)), "{other}");
        open(&bench, &[("a", 1)]).await.1.unwrap();
    }
}

#[tokio::test]
async fn erasures_are_open_until_their_last_record() {
    for bench in both().await {
        let door = commit::start::<Bank>(bench.db.clone(), Clock::system(), Options::default()).await.unwrap();
        door.submit(fresh(), Open("a".into())).await.unwrap();
        door.submit(fresh(), Forget(Uuid::from_u128(1))).await.unwrap();
        let erasures = commit::Erasures::new(bench.db.clone());
        assert_eq!(erasures.list_open(10).await.unwrap(), [Uuid::from_u128(1)]);
        door.submit(fresh(), Rewritten(Uuid::from_u128(1))).await.unwrap();
        assert!(erasures.list_open(10).await.unwrap().is_empty());
        let erasure = erasures.find(Uuid::from_u128(1)).await.unwrap().unwrap();
        assert!(erasure.finished_at_us.is_some() && erasure.records == 3);
    }
}

/// The last records of a customer were rewritten.
struct Rewritten(Uuid);

impl Verb<Bank> for Rewritten {
    type Reply = ();
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<(), Stop<Refusal>> {
        w.erasures.go_on(self.0, 3, true, cx.now_us)?;
        Ok(())
    }
}

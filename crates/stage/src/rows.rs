//! What holds for the tables of every service: each statement fits the schema of both engines, both hold the same
//! schema, and an aggregate survives its row.

use std::fmt::Debug;

use commit::Aggregate;
use store::{Batch, Rows, Sql};
use uuid::Uuid;

use crate::Bench;

const NOTHING: Sql = Sql::same("update log_head set last_seq = last_seq where id = 1");

/// Prepares every statement on every engine.
pub async fn check_statements(benches: &[Bench], statements: &[Sql]) {
    for bench in benches {
        for sql in statements {
            bench.db.prepare(*sql).await.unwrap_or_else(|error| panic!("{}: {sql:?}: {error:?}", bench.name));
        }
    }
}

/// Both engines hold the same tables and columns, of which there are more than `floor`.
pub async fn check_schemas(benches: &[Bench], floor: usize) {
    let mut seen = Vec::new();
    for bench in benches {
        seen.push(bench.db.columns().await.unwrap());
    }
    assert!(seen[0].len() > floor, "the schema is read: {:?}", seen[0]);
    assert_eq!(seen[0], seen[1]);
}

/// An aggregate is the same after it was saved and loaded.
pub async fn check_survival<A: Aggregate + PartialEq + Debug>(bench: &Bench, original: A) {
    let mut conn = bench.db.writer().await.unwrap();
    let mut rows = Rows::new(A::TABLE);
    original.to_row(&mut rows);
    conn.save(&Batch { rows: vec![rows], last: NOTHING, args: &[] }).await.unwrap();
    let loaded: Vec<A::Row> = conn.load(A::TABLE, &[original.id(), Uuid::max()]).await.unwrap();
    let loaded: Vec<A> = loaded.into_iter().map(|row| A::from_row(row).unwrap()).collect();
    assert_eq!(loaded, [original], "{}", bench.name);
}

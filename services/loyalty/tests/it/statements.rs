//! Every statement fits the schema of both engines, and both hold the same schema.

use crate::bench::both;

#[tokio::test]
async fn every_statement_fits_the_schema_of_both_engines() {
    for bench in both().await {
        for sql in loyalty::store::STATEMENTS {
            bench.db.prepare(*sql).await.unwrap_or_else(|error| panic!("{}: {sql:?}: {error:?}", bench.name));
        }
    }
}

#[tokio::test]
async fn both_engines_hold_the_same_tables_and_columns() {
    let mut seen = Vec::new();
    for bench in both().await {
        seen.push(bench.db.columns().await.unwrap());
    }
    assert!(seen[0].len() > 90, "the schema is read: {:?}", seen[0]);
    assert_eq!(seen[0], seen[1]);
}

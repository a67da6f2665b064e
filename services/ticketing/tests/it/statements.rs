//! Every statement fits the schema of both engines, and both hold the same schema.

use crate::bench::both;

#[tokio::test]
async fn every_statement_fits_the_schema_of_both_engines() {
    stage::check_statements(&both().await, ticketing::store::STATEMENTS).await;
    stage::check_statements(&both().await, ticketing::store::search::STATEMENTS).await;
}

#[tokio::test]
async fn both_engines_hold_the_same_tables_and_columns() {
    stage::check_schemas(&both().await, 90).await;
}

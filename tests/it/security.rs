//! The security matrix in embedded mode: every method x every role x own and foreign branch.

use karibu_tests::embedded;
use karibu_tests::matrix::{Matrix, table};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout)] // the size of the matrix is what a reader of the run wants to see
async fn every_method_answers_every_role_as_its_permission_and_branch_demand() {
    let place = embedded().await;
    let matrix = Matrix::set_up(&place).await;
    assert_eq!(matrix.differences(&place).await, Vec::<String>::new(), "the roles are not those of the decision table");
    let summary = matrix.run().await;
    println!("{summary}");
    let folder = testkit::workspace_root().join("target");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("security-matrix.txt"), summary.to_string()).unwrap();
    assert!(summary.failures.is_empty(), "{summary}\n{}", summary.failures.join("\n"));
}

#[test]
fn every_permission_of_the_contract_is_decided_for_every_role() {
    for method in proto::methods().iter().filter(|method| !method.is_internal() && !method.is_public()) {
        for role in table::roles() {
            assert!(table::holds(role, method.permission).is_some(), "{}: {:?}", method.path, method.permission);
        }
    }
}

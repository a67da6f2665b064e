//! Statements are fixed texts with bound values. What writes one at run time says so to the database library, and may do
//! that in `crates/store` alone, where only names of tables and columns of ours are put together; tests may too.

use crate::tidy::Finding;
use crate::tidy::house::{File, House};

const ASSERTION: &str = "AssertSqlSafe";

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust().filter(|(file, _)| !may_assert(file)) {
        for (line, _) in source.words().filter(|(line, word)| *word == ASSERTION && !source.is_test_line(*line)) {
            let message = format!("{ASSERTION}: bind values, and write statements in crates/store only");
            findings.push(Finding { path: file.path.clone(), line, rule: "bound-values", message });
        }
    }
}

fn may_assert(file: &File) -> bool {
    let folders = ["crates/store/", "crates/testkit/", "bench/", "faults/", "tests/"];
    file.is_test() || folders.iter().any(|folder| file.path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn statements_are_written_in_one_place() {
        let code = "fn a() { run(AssertSqlSafe(text)) }\n";
        let house = House::of(&[
            ("crates/store/src/save.rs", code),
            ("crates/commit/src/sql.rs", code),
            ("services/loyalty/src/store/sql.rs", code),
            ("services/loyalty/tests/it/main.rs", code),
        ]);
        assert_eq!(fired(check, &house), ["crates/commit/src/sql.rs:1", "services/loyalty/src/store/sql.rs:1"]);
    }
}

//! Both engines have the same migrations: same numbers, same names, numbered from 0001 without a gap.

use std::collections::BTreeSet;

use crate::tidy::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    let folders: BTreeSet<&str> =
        house.files.iter().filter_map(|file| file.path.split_once("/migrations/").map(|(folder, _)| folder)).collect();
    for folder in folders {
        let of = |engine: &str| names(house, &format!("{folder}/migrations/{engine}/"));
        let (postgres, sqlite) = (of("postgres"), of("sqlite"));
        let mut find = |path: String, message: &str| {
            findings.push(Finding { path, line: 0, rule: "migrations", message: message.to_owned() })
        };
        for name in postgres.difference(&sqlite) {
            find(format!("{folder}/migrations/postgres/{name}"), "has no twin of the same name for sqlite");
        }
        for name in sqlite.difference(&postgres) {
            find(format!("{folder}/migrations/sqlite/{name}"), "has no twin of the same name for postgres");
        }
        for (index, name) in postgres.iter().enumerate() {
            if !name.starts_with(&format!("{:04}_", index + 1)) {
                find(format!("{folder}/migrations/postgres/{name}"), "the numbers must run 0001_, 0002_, …");
            }
        }
    }
}

fn names<'a>(house: &'a House, folder: &str) -> BTreeSet<&'a str> {
    house.files.iter().filter_map(|file| file.path.strip_prefix(folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn twins_and_numbers_are_checked() {
        let good = House::of(&[
            ("services/a/migrations/postgres/0001_a.sql", ""),
            ("services/a/migrations/sqlite/0001_a.sql", ""),
        ]);
        assert_eq!(fired(check, &good), [""; 0]);
        let bad = House::of(&[
            ("services/a/migrations/postgres/0001_a.sql", ""),
            ("services/a/migrations/sqlite/0001_b.sql", ""),
            ("services/a/migrations/postgres/0003_c.sql", ""),
            ("services/a/migrations/sqlite/0003_c.sql", ""),
        ]);
        let expected = [
            "services/a/migrations/postgres/0001_a.sql:0",
            "services/a/migrations/postgres/0003_c.sql:0",
            "services/a/migrations/sqlite/0001_b.sql:0",
        ];
        assert_eq!(fired(check, &bad), expected);
    }
}

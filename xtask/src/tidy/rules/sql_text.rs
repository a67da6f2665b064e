//! SQL text lives in `sql.rs` and in migrations, so that one test can prepare every statement on both engines.
//! `crates/store` writes statements from table constants and is left out; so are tests, testkit and stage.

use crate::tidy::Finding;
use crate::tidy::house::{File, House};

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust().filter(|(file, _)| !may_hold_sql(file)) {
        for literal in
            source.literals.iter().filter(|literal| is_sql(&literal.text) && !source.is_test_line(literal.line))
        {
            let start: String = literal.text.trim_start().chars().take(30).collect();
            let message = format!("SQL text belongs in sql.rs: {start:?}");
            findings.push(Finding { path: file.path.clone(), line: literal.line, rule: "sql-text", message });
        }
    }
}

fn may_hold_sql(file: &File) -> bool {
    let room = file.name() == "sql.rs" || file.path.contains("/sql/");
    room || file.is_test()
        || ["crates/stage/", "crates/store/", "crates/testkit/", "xtask/"]
            .iter()
            .any(|folder| file.path.starts_with(folder))
}

/// Whether a text begins as a statement. Plain sentences ("select a branch") must not look like one.
fn is_sql(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "\\").take(400).collect();
    let has = |word: &str| words.iter().any(|other| other.trim_matches(|c: char| !c.is_ascii_alphanumeric()) == word);
    match words.as_slice() {
        ["select", first, ..] => {
            has("from") && !["a", "an", "the"].contains(first) || first.starts_with(['$', '1', '('])
        }
        ["insert" | "replace", "into", ..] | ["delete", "from", ..] | ["merge", "into", ..] => true,
        ["update", _, "set", ..] => true,
        ["with", rest @ ..] => {
            (has("as")
                && rest.iter().any(|word| {
                    word.starts_with("(select") || word.starts_with("(insert") || word.starts_with("(update")
                }))
                || rest.first() == Some(&"recursive")
        }
        ["create", "table" | "index" | "unique" | "view" | "schema", ..]
        | ["alter" | "drop", "table" | "index" | "view", ..] => true,
        ["pragma", _, ..] | ["truncate", _] | ["begin", "immediate", ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{check, is_sql};
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn statements_are_known_from_sentences() {
        for sql in [
            "select id from complaint where id = $1",
            "SELECT 1",
            "\n  insert into a values ($1)",
            "update a set b = 1",
            "delete from a",
            "create unique index i on a (b)",
            "with due as (select 1) select * from due",
            "with recursive t(n) as (values (1)) select n from t",
            "select count(*) \\\n from a",
        ] {
            assert!(is_sql(sql), "{sql}");
        }
        for sentence in [
            "select a branch from the list",
            "update the address",
            "with a proposal as the start",
            "create a customer",
            "delete the draft",
            "selected from",
            "insert coin",
        ] {
            assert!(!is_sql(sentence), "{sentence}");
        }
    }

    #[test]
    fn it_is_allowed_in_its_room_only() {
        let code = "const A: &str = \"delete from a\";\n";
        let house = House::of(&[
            ("services/loyalty/src/store/sql.rs", code),
            ("services/loyalty/src/store/rows.rs", code),
            ("crates/commit/src/log.rs", code),
            ("crates/store/src/save.rs", code),
            ("crates/events/tests/it/main.rs", code),
        ]);
        assert_eq!(fired(check, &house), ["crates/commit/src/log.rs:1", "services/loyalty/src/store/rows.rs:1"]);
    }
}

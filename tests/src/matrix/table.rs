//! The decision table of `tests/matrix/decisions.txt`: which role holds which permission, as people decided it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use proto::Permission;

/// Before the name of a permission in the contract.
const PREFIX: &str = "PERMISSION_";

#[derive(Debug, Default)]
struct Table {
    roles: Vec<String>,
    /// Whether each of the roles holds a permission, by its name.
    rows: BTreeMap<String, Vec<bool>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let path = testkit::workspace_root().join("tests/matrix/decisions.txt");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut table = Table::default();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let Some(first) = words.next() else { continue };
            if first == "roles" {
                table.roles = words.map(str::to_owned).collect();
                continue;
            }
            assert!(Permission::from_str_name(&format!("{PREFIX}{first}")).is_some(), "no permission: {line}");
            let row: Vec<bool> = words.map(|word| word == "x").collect();
            assert_eq!(row.len(), table.roles.len(), "a decision for each role: {line}");
            table.rows.insert(first.to_owned(), row);
        }
        table
    })
}

/// The roles, the administrator first.
pub fn roles() -> &'static [String] {
    &table().roles
}

/// Whether the role holds the permission; `None` when nobody has decided.
pub fn holds(role: &str, permission: Permission) -> Option<bool> {
    let column = roles().iter().position(|known| known == role)?;
    let name = permission.as_str_name().trim_start_matches(PREFIX);
    table().rows.get(name).map(|row| row[column])
}

/// The permissions of a role, by their numbers in the contract.
pub fn permissions_of(role: &str) -> Vec<i32> {
    let named = |name: &String| Permission::from_str_name(&format!("{PREFIX}{name}"));
    let held = table().rows.keys().filter_map(named).filter(|permission| holds(role, *permission) == Some(true));
    let mut numbers: Vec<i32> = held.map(i32::from).collect();
    numbers.sort_unstable();
    numbers
}

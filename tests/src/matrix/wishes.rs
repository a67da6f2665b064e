//! What the descriptors cannot tell about a sound request, read from `tests/matrix/wishes.txt`: a handful of fields that must
//! fit each other, ids under other names, methods that take things away.

use std::collections::HashMap;
use std::sync::OnceLock;

#[derive(Debug, Default)]
struct Wishes {
    fields: HashMap<String, String>,
    aliases: Vec<(String, String)>,
    made_by_caller: Vec<String>,
    business_wide: Vec<String>,
    destructive: Vec<String>,
    once: Vec<String>,
    on_trust: Vec<String>,
}

fn wishes() -> &'static Wishes {
    static WISHES: OnceLock<Wishes> = OnceLock::new();
    WISHES.get_or_init(|| {
        let path = testkit::workspace_root().join("tests/matrix/wishes.txt");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut wishes = Wishes::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (kind, rest) = line.split_once(' ').unwrap_or_else(|| panic!("not a wish: {line}"));
            let (name, value) = rest.split_once(" = ").unwrap_or((rest, ""));
            let (name, value) = (name.to_owned(), value.to_owned());
            match kind {
                "field" => drop(wishes.fields.insert(name, value)),
                "alias" => wishes.aliases.push((name, value)),
                "made_by_caller" => wishes.made_by_caller.push(name),
                "business_wide" => wishes.business_wide.push(name),
                "destructive" => wishes.destructive.push(name),
                "once" => wishes.once.push(name),
                "on_trust" => wishes.on_trust.push(name),
                _ => panic!("not a wish: {line}"),
            }
        }
        wishes
    })
}

/// The value wished for a field.
pub(super) fn wish(message: &str, field: &str) -> Option<&'static str> {
    wishes().fields.get(&format!("{message}.{field}")).map(String::as_str)
}

/// Whether an id of this name is made up by whoever calls.
pub(super) fn is_made_by_caller(field: &str) -> bool {
    wishes().made_by_caller.iter().any(|known| known == field)
}

/// Whether an id of this name is of the business as a whole.
pub(super) fn is_business_wide(id: &str) -> bool {
    wishes().business_wide.iter().any(|known| known == id)
}

/// Whether a method of this name takes away what others need.
pub(super) fn is_destructive(method: &str) -> bool {
    wishes().destructive.iter().any(|start| method.starts_with(start))
}

/// Whether the service takes this id on trust, since it cannot know where the record is.
pub(super) fn is_on_trust(message: &str, field: &str) -> bool {
    wishes().on_trust.iter().any(|known| *known == format!("{message}.{field}"))
}

/// Whether a world is filled by one call of this method.
pub(super) fn is_once(method: &str) -> bool {
    wishes().once.iter().any(|known| known == method)
}

/// The id that a field of this name holds, before anything is known about it: in the singular, without its alias.
pub(super) fn plain(field: &str) -> String {
    let singular = field.strip_suffix("_ids").map_or_else(|| field.to_owned(), |stem| format!("{stem}_id"));
    let alias = wishes().aliases.iter().find(|(end, _)| singular == *end || singular.ends_with(&format!("_{end}")));
    alias.map_or(singular, |(_, id)| id.clone())
}

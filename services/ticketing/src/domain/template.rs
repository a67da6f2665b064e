//! Templates: texts of ours with places such as `{name}` for values, in two lengths: warm, and terse for who is short
//! of time.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::code::codes;
use super::plain_language::thanks_alone;

codes! {
    /// How much a text says.
    pub enum Variant {
        /// With a greeting and thanks.
        Warm = "WARM",
        /// The matter alone.
        Terse = "TERSE",
    }
}

/// The language that a text falls back to.
const LAST_LOCALE: &str = "en";

/// A text of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Made from code, language and variant.
    pub id: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// Its code.
    pub code: String,
    /// Its language, BCP 47.
    pub locale: String,
    /// How much it says.
    pub variant: Variant,
    /// The text.
    pub body: String,
    /// Words of the business that it must not use.
    pub jargon: Vec<String>,
    /// When it was made.
    pub created_at_us: i64,
    /// When it was last changed.
    pub updated_at_us: i64,
}

impl Template {
    /// The id of a template.
    pub fn id_of(code: &str, locale: &str, variant: Variant) -> Uuid {
        let locale = locale.to_ascii_lowercase();
        commit::key(&[b"template", code.as_bytes(), locale.as_bytes(), variant.code().as_bytes()])
    }

    /// The ids to look for, the nearest first: `fr-RW`, `fr`, `en`, each in `variant` and then in the other.
    pub fn nearest(code: &str, locale: &str, variant: Variant) -> Vec<Uuid> {
        let language = locale.split('-').next().unwrap_or(locale);
        let other = if variant == Variant::Warm { Variant::Terse } else { Variant::Warm };
        let places = [locale, language, LAST_LOCALE].into_iter();
        places.flat_map(|locale| [variant, other].map(|variant| Self::id_of(code, locale, variant))).collect()
    }
}

/// Why a text cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// A place is not closed.
    Broken,
    /// There is no value for a place.
    Missing(String),
}

/// The text with `values` in its places. With `thanked`, sentences that only greet or thank are left out.
pub fn fill(body: &str, values: &[(String, String)], thanked: bool) -> Result<String, Gap> {
    let body = if thanked { without_thanks(body) } else { body.to_owned() };
    let mut text = String::with_capacity(body.len());
    let mut rest = body.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(Gap::Broken)?;
        let value = values.iter().find(|(known, _)| known == name);
        let (_, value) = value.ok_or_else(|| Gap::Missing(name.to_owned()))?;
        text.push_str(before);
        text.push_str(value);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Whether every place of a text is closed and has a name.
pub fn is_whole(body: &str) -> bool {
    let mut places = body.split('{').skip(1);
    places.all(|place| {
        place.split_once('}').is_some_and(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace))
    })
}

fn without_thanks(body: &str) -> String {
    let kept: Vec<&str> = body.split_inclusive(['.', '!', '?', '\n']).filter(|one| !thanks_alone(one)).collect();
    kept.concat().trim_start().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_or_named() {
        let values = [("name".to_owned(), "Amina".to_owned())];
        assert_eq!(fill("Dear {name}, it is {name}.", &values, false).unwrap(), "Dear Amina, it is Amina.");
        assert_eq!(fill("{when}", &values, false), Err(Gap::Missing("when".to_owned())));
        assert_eq!(fill("{name", &values, false), Err(Gap::Broken));
        assert_eq!(["a {b} c", "a {b", "{}", "{a b}"].map(is_whole), [true, false, false, false]);
    }

    #[test]
    fn who_was_thanked_already_is_told_the_matter_alone() {
        let body = "Thank you, {name}! Your coffee comes today. Thanks again.";
        let values = [("name".to_owned(), "Amina".to_owned())];
        assert_eq!(fill(body, &values, true).unwrap(), "Your coffee comes today.");
        assert_eq!(
            fill("Thank you for the photo of the broken cup.", &[], true).unwrap(),
            "Thank you for the photo of the broken cup."
        );
    }

    #[test]
    fn the_nearest_language_and_length_are_looked_for_first() {
        let ids = Template::nearest("sorry", "fr-RW", Variant::Terse);
        assert_eq!(ids[0], Template::id_of("sorry", "fr-rw", Variant::Terse));
        assert_eq!(ids[3], Template::id_of("sorry", "fr", Variant::Warm));
        assert_eq!(ids[5], Template::id_of("sorry", "en", Variant::Warm));
    }
}

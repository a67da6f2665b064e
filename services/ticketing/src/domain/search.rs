//! Words by which complaints are found: how a text falls into words, and how far the index has come. Where the words are
//! looked up stands in the room `store`.

use uuid::Uuid;

use super::ComplaintId;

/// Words of one complaint that are kept.
pub const MAX_WORDS: usize = 200;
/// Words of a query that count.
pub const MAX_QUERY_WORDS: usize = 8;
/// Letters of a word that count: longer ones are found by their beginning.
const MAX_LETTERS: usize = 40;
/// A word has two letters or is a number.
const MIN_LETTERS: usize = 2;

/// The words of `texts`, each once, in the order in which they first stand: runs of letters and digits, in small letters.
/// Languages that write without spaces are found by whole runs only.
pub fn words_of<'a>(texts: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for run in texts.into_iter().flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric())) {
        let word: String = run.chars().flat_map(char::to_lowercase).take(MAX_LETTERS).collect();
        let counts = word.chars().count() >= MIN_LETTERS || word.chars().all(|letter| letter.is_ascii_digit());
        if word.is_empty() || !counts || words.contains(&word) {
            continue;
        }
        words.push(word);
        if words.len() == most {
            break;
        }
    }
    words
}

/// A word by which a complaint is found. Rows are only added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplaintWord {
    /// The word.
    pub word: String,
    /// When the complaint was opened: its place in lists.
    pub opened_at_us: i64,
    /// The complaint.
    pub complaint: ComplaintId,
    /// Up to where the log was read when the word was written.
    pub seq: i64,
}

/// How far the index has read the log of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchIndex {
    /// Its id; there is one.
    pub id: Uuid,
    /// Counts up when it is saved; nobody outside sees it.
    pub version: i64,
    /// The last event whose words are in it.
    pub seq: i64,
}

/// The one index.
pub const THE_INDEX: Uuid = Uuid::from_u128(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_words() {
        let text = ["KGL-1-2026-000123: Wrong ITEM, wrong price!", "Café d'été; Straße ✓ a 7"];
        let expected =
            ["kgl", "1", "2026", "000123", "wrong", "item", "price", "café", "été", "straße", "7"].map(str::to_owned);
        assert_eq!(words_of(text, 99), expected);
        assert_eq!(words_of(text, 2), ["kgl", "1"]);
        assert_eq!(words_of(["-- a ✓"], 9), Vec::<String>::new());
        assert_eq!(words_of(["x".repeat(99).as_str()], 9), ["x".repeat(MAX_LETTERS)]);
    }
}

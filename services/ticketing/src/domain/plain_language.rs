//! Plain language: what is wrong with words that go to a customer. Blame blocks, the rest warns. The lists are
//! short on purpose: what a business adds to them comes with its templates.

/// Above this, a text is hard to read: LIX, see [`lix`].
const HARD_LIX: usize = 50;
/// A sentence with more words than this loses its reader.
const LONG_SENTENCE_WORDS: usize = 25;
/// Fewer words than this say too little for a measure of how hard they read.
const FEW_WORDS: usize = 20;
/// A sentence of thanks with more words than this says something beside.
const FEW_WORDS_OF_THANKS: usize = 5;
/// More thanks and greetings than this annoy people who are short of time.
const MOST_THANKS: usize = 2;

/// Phrases that blame the customer, in the languages that we know of.
const BLAME: &[&str] = &[
    "your fault",
    "your own fault",
    "your error",
    "your mistake",
    "customer error",
    "user error",
    "customer fault",
    "you failed",
    "you should have",
    "you should not have",
    "you neglected",
    "you misunderstood",
    "you misread",
    "you did not read",
    "you didn't read",
    "you were careless",
    "you are wrong",
    "you were wrong",
    "to blame",
    "you claim",
    "your negligence",
    "customer misuse",
    "votre faute",
    "votre erreur",
    "vous auriez dû",
    "vous avez omis",
    "vous avez mal compris",
    "par votre négligence",
    "kosa lako",
    "ulipaswa",
    "hukusoma",
    "uzembe wako",
];

/// Words of ours that customers do not use, and a plain one for each.
const JARGON: &[(&str, &str)] = &[
    ("utilize", "use"),
    ("leverage", "use"),
    ("escalate", "pass on"),
    ("sla", "deadline"),
    ("ticket", "case"),
    ("root cause", "cause"),
    ("pursuant to", "under"),
    ("commence", "begin"),
    ("terminate", "end"),
    ("as per", "as in"),
    ("aforementioned", "this"),
    ("stakeholder", "people concerned"),
    ("remediation", "repair"),
    ("touchpoint", "place"),
    ("synergy", "help"),
    ("end user", "you"),
    ("kyc", "proof of who you are"),
];

/// Wording that closes a door where another opens one.
const NEGATIVE: &[&str] = &[
    "unfortunately",
    "we cannot",
    "we can't",
    "impossible",
    "not our policy",
    "against our policy",
    "we refuse",
    "no exceptions",
    "nothing we can do",
    "malheureusement",
    "haiwezekani",
];

/// Words of thanks and greeting, which wear out.
const THANKS: &[&str] = &["thank", "thanks", "merci", "asante", "murakoze", "dear", "greetings"];

/// Something that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blemish {
    /// It blames the customer. The text may not be used.
    Blame {
        /// The words.
        phrase: String,
    },
    /// A word that customers do not use.
    Jargon {
        /// The word.
        phrase: String,
        /// A plain one; empty if none is known.
        plain: String,
    },
    /// It closes a door.
    Negative {
        /// The words.
        phrase: String,
    },
    /// A sentence is too long.
    LongSentence {
        /// How many words it has.
        words: usize,
    },
    /// It is hard to read.
    HardToRead {
        /// Its LIX.
        lix: usize,
    },
    /// It thanks or greets too often.
    TooManyThanks {
        /// How often.
        count: usize,
    },
}

impl Blemish {
    /// Whether a text with it may not be used.
    pub const fn blocks(&self) -> bool {
        matches!(self, Self::Blame { .. })
    }
}

/// The first words that blame the customer, if any.
pub fn blaming(text: &str) -> Option<&'static str> {
    let text = plain(text);
    BLAME.iter().copied().find(|phrase| says(&text, phrase))
}

/// Everything that is wrong with `text`; `jargon` are the words of the business itself.
pub fn lint(text: &str, jargon: &[String]) -> Vec<Blemish> {
    let whole = plain(text);
    let said = |phrase: &&&str| says(&whole, phrase);
    let mut found: Vec<Blemish> =
        BLAME.iter().filter(said).map(|phrase| Blemish::Blame { phrase: (*phrase).to_owned() }).collect();
    let known = JARGON.iter().filter(|(phrase, _)| says(&whole, phrase));
    found.extend(known.map(|(phrase, plain)| Blemish::Jargon { phrase: (*phrase).into(), plain: (*plain).into() }));
    let own = jargon.iter().filter(|phrase| says(&whole, plain(phrase).trim()));
    found.extend(own.map(|phrase| Blemish::Jargon { phrase: phrase.clone(), plain: String::new() }));
    found.extend(NEGATIVE.iter().filter(said).map(|phrase| Blemish::Negative { phrase: (*phrase).to_owned() }));
    let long = sentences(text).map(|sentence| sentence.split_whitespace().count());
    found.extend(long.filter(|words| *words > LONG_SENTENCE_WORDS).map(|words| Blemish::LongSentence { words }));
    if let Some(lix) = lix(text).filter(|lix| *lix > HARD_LIX) {
        found.push(Blemish::HardToRead { lix });
    }
    let count = whole.split_whitespace().filter(|word| THANKS.contains(word)).count();
    if count > MOST_THANKS {
        found.push(Blemish::TooManyThanks { count });
    }
    found
}

/// How hard a text reads in any language: words per sentence plus the share of words of more than six
/// letters in percent (LIX; Björnsson 1968). `None` for a text of a few words.
pub fn lix(text: &str) -> Option<usize> {
    let words: Vec<usize> =
        text.split_whitespace().map(|word| word.chars().filter(|c| c.is_alphabetic()).count()).collect();
    let long = words.iter().filter(|letters| **letters > 6).count();
    (words.len() >= FEW_WORDS).then(|| words.len() / sentences(text).count().max(1) + 100 * long / words.len())
}

/// Whether a sentence thanks or greets and says nothing else: a few words, one of them of that kind.
pub fn thanks_alone(sentence: &str) -> bool {
    let sentence = plain(sentence);
    let mut words = sentence.split_whitespace();
    words.clone().count() <= FEW_WORDS_OF_THANKS && words.any(|word| THANKS.contains(&word))
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ':', ';', '\n']).filter(|sentence| !sentence.trim().is_empty())
}

/// Lower case, with one blank on either side of every word.
fn plain(text: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || c == '\'' { c } else { ' ' };
    let text: String = text.replace('’', "'").to_lowercase().chars().map(kept).collect();
    format!(" {} ", text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn says(plain: &str, phrase: &str) -> bool {
    plain.contains(&format!(" {phrase} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a94_blame_is_found_in_any_dress_and_blocks() {
        for text in ["This is YOUR FAULT.", "you, failed to read", "C’est votre faute !", "Ni kosa lako"] {
            assert!(blaming(text).is_some(), "{text}");
            assert!(lint(text, &[]).iter().any(Blemish::blocks), "{text}");
        }
        for text in ["We are sorry for our fault.", "We misunderstood.", "", "The default settings failed."] {
            assert_eq!(blaming(text), None, "{text}");
        }
    }

    #[test]
    fn jargon_of_ours_and_of_the_business_is_named_with_a_plain_word() {
        let found = lint("We utilize the Ledger Core.", &["ledger core".to_owned()]);
        let jargon = |phrase: &str, plain: &str| Blemish::Jargon { phrase: phrase.to_owned(), plain: plain.to_owned() };
        assert_eq!(found, [jargon("utilize", "use"), jargon("ledger core", "")]);
    }

    #[test]
    fn long_sentences_hard_words_and_worn_thanks_are_told() {
        let long = "word ".repeat(26);
        assert_eq!(lint(&long, &[]), [Blemish::LongSentence { words: 26 }]);
        let hard = "Institutional administrative considerations necessitate comprehensive documentation. ".repeat(5);
        assert!(matches!(lint(&hard, &[])[..], [Blemish::HardToRead { lix }] if lix > 100));
        let worn = "Thank you. Thanks again. Merci.";
        assert_eq!(lint(worn, &[]), [Blemish::TooManyThanks { count: 3 }]);
        assert_eq!(lint("We are sorry. Your coffee comes today.", &[]), []);
    }
}

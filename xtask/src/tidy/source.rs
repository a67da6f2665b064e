//! Reads Rust source just far enough for the rules: what is code, what is a comment, which strings there are, which
//! lines belong to tests, where functions begin and end. It is no parser; it never rejects a file.

/// A string literal.
#[derive(Debug)]
pub(crate) struct Literal {
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// One function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// Line of its `fn`, counted from 1.
    pub(crate) line: usize,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// A Rust file, taken apart.
#[derive(Debug)]
pub(crate) struct Source {
    /// The lines with comments, strings and character literals blanked out.
    pub(crate) lines: Vec<String>,
    pub(crate) literals: Vec<Literal>,
    in_test: Vec<bool>,
    masked: String,
}

impl Source {
    pub(crate) fn read(text: &str) -> Self {
        let (masked, literals) = mask(text);
        let lines: Vec<String> = masked.lines().map(str::to_owned).collect();
        let mut in_test = vec![false; lines.len() + 1];
        for (start, end) in test_regions(&masked) {
            for line in line_of(&masked, start)..=line_of(&masked, end) {
                if let Some(flag) = in_test.get_mut(line - 1) {
                    *flag = true;
                }
            }
        }
        Self { lines, literals, in_test, masked }
    }

    /// Whether a line (from 1) stands inside `#[cfg(test)]`.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.in_test.get(line - 1).copied().unwrap_or(false)
    }

    /// Every identifier outside comments and strings, with its line (from 1).
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().flat_map(|(index, line)| words(line).map(move |word| (index + 1, word)))
    }

    /// Every function with a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code = &self.masked;
        let mut found = Vec::new();
        for (at, _) in code.match_indices("fn ") {
            let before = code[..at].chars().next_back();
            if before.is_some_and(is_word) {
                continue;
            }
            let name: String = code[at + 3..].chars().take_while(|c| is_word(*c)).collect();
            if let (false, Some(end)) = (name.is_empty(), body_end(code, at)) {
                let line = line_of(code, at);
                found.push(Function { name, line, lines: line_of(code, end) - line + 1 });
            }
        }
        found
    }
}

/// Identifiers of a line of code.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !is_word(c)).filter(|word| !word.is_empty())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// End of the brace block that begins after `at`, or `None` when a `;` comes first (a declaration without a body).
fn body_end(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    let mut round = 0_i32;
    for (offset, c) in code[at..].char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            ';' if depth == 0 && round == 0 => return None,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth <= 0 {
                    return Some(at + offset);
                }
            }
            _ => {}
        }
    }
    None
}

fn test_regions(code: &str) -> Vec<(usize, usize)> {
    code.match_indices("#[cfg(test)]").filter_map(|(at, mark)| Some((at, body_end(code, at + mark.len())?))).collect()
}

/// Blanks comments, strings and character literals; line breaks stay where they are.
fn mask(text: &str) -> (String, Vec<Literal>) {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_comment(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => block_comment(&chars, at),
            '\'' => character(&chars, at),
            'r' | 'b' | 'c' | '"' if !at.checked_sub(1).is_some_and(|before| is_word(chars[before])) => {
                match string(&chars, at) {
                    Some((content, end)) => {
                        literals.push(Literal { line, text: chars[content.0..content.1].iter().collect() });
                        end
                    }
                    None => at,
                }
            }
            _ => at,
        };
        if end == at {
            line += usize::from(chars[at] == '\n');
            out.push(chars[at]);
            at += 1;
        } else {
            for c in &chars[at..end] {
                line += usize::from(*c == '\n');
                out.push(if *c == '\n' { '\n' } else { ' ' });
            }
            at = end;
        }
    }
    (out, literals)
}

fn line_comment(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |offset| at + offset)
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut i = at;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                i += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

/// End of a character literal; `at` itself for a lifetime.
fn character(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => chars[at + 3..].iter().position(|c| *c == '\'').map_or(at, |offset| at + 3 + offset + 1),
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Content and end of a string literal of any kind that begins at `at`.
fn string(chars: &[char], at: usize) -> Option<((usize, usize), usize)> {
    let mut i = at;
    while matches!(chars.get(i), Some('b' | 'c')) {
        i += 1;
    }
    let raw = chars.get(i) == Some(&'r');
    i += usize::from(raw);
    let hashes = if raw { chars[i..].iter().take_while(|c| **c == '#').count() } else { 0 };
    i += hashes;
    if chars.get(i) != Some(&'"') {
        return None;
    }
    let start = i + 1;
    let mut i = start;
    while i < chars.len() {
        match chars[i] {
            '\\' if !raw => i += 2,
            '"' if chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes => {
                return Some(((start, i), i + 1 + hashes));
            }
            _ => i += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Source;

    const TEXT: &str = r##"//! doc sqlx
use a::b; /* sqlx /* nested */ sqlx */
const S: &str = "sqlx \" still"; const R: &str = r#"raw " sqlx"#;
fn short<'a>(x: &'a str) -> char { '"' }
fn declared(x: [u8; 3]);
fn longer() {
    if x { '\'' } else { 'y' }
}
#[cfg(test)]
mod tests {
    fn inner() { sleep(); }
}
fn after() {}
"##;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source = Source::read(TEXT);
        assert!(
            source.words().all(|(_, word)| word != "sqlx" && word != "still" && word != "raw"),
            "{:#?}",
            source.lines
        );
        let literals: Vec<(usize, &str)> =
            source.literals.iter().map(|literal| (literal.line, literal.text.as_str())).collect();
        assert_eq!(literals, [(3, r#"sqlx \" still"#), (3, r#"raw " sqlx"#)]);
    }

    #[test]
    fn functions_have_their_length() {
        let source = Source::read(TEXT);
        let functions: Vec<(String, usize, usize)> =
            source.functions().into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        let expected = [("short", 4, 1), ("longer", 6, 3), ("inner", 11, 1), ("after", 13, 1)];
        assert_eq!(functions, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
    }

    #[test]
    fn test_modules_are_known() {
        let source = Source::read(TEXT);
        let test_lines: Vec<usize> = (1..=13).filter(|line| source.is_test_line(*line)).collect();
        assert_eq!(test_lines, [9, 10, 11, 12]);
    }
}

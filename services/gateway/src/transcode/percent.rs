//! Percent-encoding of addresses (RFC 3986, section 2.1), strictly: what is no text is refused, not replaced.

/// The text behind `encoded`; `None` for a broken escape or for bytes that are not UTF-8. `plus_is_blank` is for
/// queries, where forms write a blank so.
pub(super) fn decode(encoded: &str, plus_is_blank: bool) -> Option<String> {
    let mut bytes = encoded.bytes();
    let mut text = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        text.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus_is_blank => b' ',
            plain => plain,
        });
    }
    String::from_utf8(text).ok()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_decode_and_broken_ones_are_refused() {
        for (encoded, blank, text) in [
            ("a%20b%2Fc", false, Some("a b/c")),
            ("a+b", false, Some("a+b")),
            ("a+b", true, Some("a b")),
            ("%E2%82%AC", false, Some("€")),
            ("", false, Some("")),
            ("%", false, None),
            ("%4", false, None),
            ("%zz", false, None),
            ("%ff", false, None),
            ("%C3%28", false, None),
        ] {
            assert_eq!(decode(encoded, blank).as_deref(), text, "{encoded:?}");
        }
    }
}

//! Numbers of member cards: 16 digits, the last of them a check digit, so that a typing mistake is noticed.

use super::{CustomerId, ProgramId};

/// Digits before the check digit. The first is a 9, with which no payment card begins.
const PLACES: u128 = 100_000_000_000_000;

/// The card number that a customer gets in a programme at the given try. It follows from both, so that verbs, which are
/// decided several times, ask for the same number each time.
pub(super) fn card_number(program: ProgramId, customer: CustomerId, attempt: u8) -> String {
    let hash = commit::key(&[b"card", program.uuid().as_bytes(), customer.uuid().as_bytes(), &[attempt]]);
    let body = format!("9{:014}", hash.as_u128() % PLACES);
    let check = check_digit(&body);
    format!("{body}{check}")
}

/// Whether a card number is well formed: 16 digits whose check digit fits (ISO/IEC 7812-1, annex B: Luhn).
pub fn is_card_number(text: &str) -> bool {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.split_at_checked(15).is_some_and(|(body, check)| check == check_digit(body).to_string())
}

/// The digit that makes the sum of all digits a multiple of 10, every second one from the right doubled and cast out of
/// nines. Source: ISO/IEC 7812-1, annex B.
fn check_digit(body: &str) -> u32 {
    let weighed = body.bytes().rev().enumerate().map(|(place, digit)| {
        let digit = u32::from(digit.saturating_sub(b'0'));
        if place % 2 == 1 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
    });
    (10 - weighed.sum::<u32>() % 10) % 10
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_check_digit_is_that_of_luhn() {
        // The usual textbook example, and two numbers that card schemes publish for testing.
        for (body, check) in [("7992739871", 3), ("411111111111111", 1), ("555555555555444", 4)] {
            assert_eq!(check_digit(body), check, "{body}");
        }
    }

    #[test]
    fn every_wrong_digit_is_noticed() {
        let number = card_number(ProgramId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)), 0);
        assert!(is_card_number(&number), "{number}");
        for place in 0..number.len() {
            let mut typed = number.clone().into_bytes();
            typed[place] = b'0' + (typed[place] - b'0' + 1) % 10;
            assert!(!is_card_number(&String::from_utf8_lossy(&typed)), "place {place}");
        }
        for wrong in ["", "9", "99999999999999999", "9abcdefghijklmno", "９９９９９"] {
            assert!(!is_card_number(wrong), "{wrong}");
        }
    }

    #[test]
    fn another_try_gives_another_number() {
        let number = |attempt| card_number(ProgramId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)), attempt);
        assert_eq!(number(0), number(0));
        assert_ne!(number(0), number(1));
    }
}

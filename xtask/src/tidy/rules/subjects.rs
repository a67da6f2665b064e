//! Event types and subjects (`karibu.ticketing.complaint.opened.v1`) are written in a service's `events.rs` and nowhere else.
//! The suite is left out: its story looks at the events from outside, as a subscriber does.

use crate::tidy::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House, findings: &mut Vec<Finding>) {
    for (file, source) in house.rust() {
        let Some((service, rest)) = file.in_service() else { continue };
        if service == "suite" || file.is_test() || rest == "src/events.rs" || rest.starts_with("src/events/") {
            continue;
        }
        for literal in
            source.literals.iter().filter(|literal| is_subject(&literal.text) && !source.is_test_line(literal.line))
        {
            let message = format!("event types and subjects belong in events.rs: {:?}", literal.text);
            findings.push(Finding { path: file.path.clone(), line: literal.line, rule: "subjects", message });
        }
    }
}

/// Four or more tokens after `karibu`; names of the contract (`karibu.ticketing.v1.OpenComplaint`) have their version third.
fn is_subject(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("karibu.") else { return false };
    let tokens: Vec<&str> = rest.split('.').collect();
    let version = |token: &str| {
        token.strip_prefix('v').is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
    };
    tokens.len() >= 3
        && tokens.iter().all(|token| !token.is_empty() && !token.contains(char::is_whitespace))
        && !version(tokens[1])
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::house::House;
    use crate::tidy::rules::fired;

    #[test]
    fn subjects_are_known_from_names_of_the_contract() {
        let code = "const A: &str = \"karibu.ticketing.complaint.opened.v1\";\nconst B: &str = \"karibu.ticketing.v1.TicketingService\";\nconst C: &str = \"karibu.*.*.complaint.>\";\nconst D: &str = \"karibu. That is all.\";\n";
        let house = House::of(&[
            ("services/loyalty/src/grpc.rs", code),
            ("services/loyalty/src/events.rs", code),
            ("crates/events/src/a.rs", code),
            ("services/loyalty/tests/it/main.rs", code),
        ]);
        assert_eq!(fired(check, &house), ["services/loyalty/src/grpc.rs:1", "services/loyalty/src/grpc.rs:3"]);
    }
}

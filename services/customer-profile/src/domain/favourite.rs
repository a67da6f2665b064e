//! What a customer buys most: counted over its newest purchases when somebody asks, so that recording stays cheap.

use std::collections::HashMap;

use super::{Line, PurchaseKind};

/// What a customer bought and kept of one article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Favourite {
    /// Code of the article.
    pub sku: String,
    /// What it is, for people: the words of the newest line.
    pub description: String,
    /// Code of its category; empty if none.
    pub category_code: String,
    /// Pieces bought less pieces returned; greater than 0.
    pub quantity: i64,
}

/// The `most` articles with the highest quantity bought and kept; equal ones in the order of their codes. `purchases`
/// come newest first. Lines that cost nothing or less are gifts and discounts: nobody chose them.
pub fn favourites<'a>(purchases: impl IntoIterator<Item = (PurchaseKind, &'a [Line])>, most: usize) -> Vec<Favourite> {
    let mut counted: HashMap<&str, (i64, &Line)> = HashMap::new();
    for (kind, lines) in purchases {
        for line in lines.iter().filter(|line| line.unit_minor > 0) {
            let pieces = match kind {
                PurchaseKind::Sale => line.quantity,
                PurchaseKind::Return => -line.quantity,
            };
            let entry = counted.entry(&line.sku).or_insert((0, line));
            entry.0 = entry.0.saturating_add(pieces);
        }
    }
    let mut ranked: Vec<(i64, &Line)> = counted.into_values().filter(|(quantity, _)| *quantity > 0).collect();
    ranked.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.sku.cmp(&y.sku)));
    let favourite = |(quantity, line): (i64, &Line)| Favourite {
        sku: line.sku.clone(),
        description: line.description.clone(),
        category_code: line.category_code.clone(),
        quantity,
    };
    ranked.into_iter().take(most).map(favourite).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sku: &str, quantity: i64, unit_minor: i64) -> Line {
        Line { sku: sku.to_owned(), quantity, unit_minor, ..Line::default() }
    }

    #[test]
    fn what_was_kept_counts_and_ties_go_by_code() {
        let newest = [line("milk", 2, 900), line("bag", 5, 0)];
        let returned = [line("bread", 3, 700)];
        let oldest = [line("bread", 4, 700), line("apple", 1, 100), line("egg", 2, 50), line("coupon", 9, -10)];
        let found = favourites(
            [
                (PurchaseKind::Sale, newest.as_slice()),
                (PurchaseKind::Return, returned.as_slice()),
                (PurchaseKind::Sale, oldest.as_slice()),
            ],
            3,
        );
        let found: Vec<(&str, i64)> = found.iter().map(|one| (one.sku.as_str(), one.quantity)).collect();
        assert_eq!(found, [("egg", 2), ("milk", 2), ("apple", 1)]);
    }

    #[test]
    fn what_came_back_whole_is_no_favourite() {
        let lines = [line("milk", 2, 900)];
        let both = [(PurchaseKind::Return, lines.as_slice()), (PurchaseKind::Sale, lines.as_slice())];
        assert_eq!(favourites(both, 5), []);
    }
}

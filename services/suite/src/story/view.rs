//! The 360° view of a customer in words, one line after the other.

use proto::karibu::gateway::v1::CustomerOverview;
use proto::karibu::types::v1::Money;

/// The lines of the view: who, what was bought, points, complaints, answers, and the timeline oldest first.
pub(crate) fn lines(overview: &CustomerOverview) -> Vec<String> {
    let mut lines = Vec::new();
    let (customer, summary) =
        (overview.customer.clone().unwrap_or_default(), overview.summary.clone().unwrap_or_default());
    lines.push(format!("{} (speaks {})", customer.preferred_name, customer.locale));
    let totals: Vec<String> = summary.net_totals.iter().map(money).collect();
    lines.push(format!(
        "visits: {}; purchases: {}, together {}",
        summary.visit_count,
        summary.purchase_count,
        totals.join(" and ")
    ));
    if let Some(balances) = overview.loyalty_account.as_ref().and_then(|account| account.balances.as_ref()) {
        lines.push(format!("{} points", balances.available));
    }
    for complaint in overview.open_complaints.iter().chain(&overview.past_complaints) {
        lines.push(format!(
            "complaint {}: {}",
            complaint.number,
            complaint.state().as_str_name().trim_start_matches("COMPLAINT_STATE_").to_lowercase()
        ));
    }
    for response in &overview.responses {
        lines.push(format!(
            "answered a survey with {}",
            response.score.map_or("-".to_owned(), |score| score.to_string())
        ));
    }
    lines.push(format!("timeline, {} entries:", overview.timeline.len()));
    let mut timeline = overview.timeline.clone();
    // The newest come first; what happened at one time keeps its order.
    timeline.reverse();
    timeline.sort_by_key(|entry| entry.occur_time.map(|time| (time.seconds, time.nanos)));
    for entry in timeline {
        let time = entry.occur_time.and_then(|time| jiff::Timestamp::from_second(time.seconds).ok());
        let time = time.map(|time| time.to_string()).unwrap_or_default();
        lines.push(format!("  {time}  {}", entry.event_type.trim_start_matches("karibu.").trim_end_matches(".v1")));
    }
    lines
}

fn money(money: &Money) -> String {
    let currency = money.currency_code.parse();
    currency.map_or_else(|_| money.minor_units.to_string(), |c| kernel::Money::new(c, money.minor_units).to_string())
}

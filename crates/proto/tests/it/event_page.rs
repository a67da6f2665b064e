//! docs/events.md is what the contract says.

#[path = "../../examples/event_list.rs"]
mod event_list;

#[test]
fn the_page_of_events_is_current() {
    let page = include_str!("../../../../docs/events.md");
    assert!(
        page == event_list::page(),
        "write it anew: cargo run -p karibu-proto --example event_list > docs/events.md"
    );
}

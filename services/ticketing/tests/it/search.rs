//! Search: by words and by what is known, in stable pages, counted and exported, and only what the caller may see.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use kernel::{BranchScope, HOUR_US};
use proto::karibu::organization::v1::BranchCreated;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::search_service_client::SearchServiceClient;
use stage::About;
use testkit::assert_eventually;
use uuid::Uuid;

use crate::bench::{AMINA, GRACE, HERE, Place, SOON, THERE, opening, past_case, staff};

type Search = SearchServiceClient<server::hop::Acting>;

fn search(place: &Place, scope: BranchScope) -> Search {
    SearchServiceClient::new(place.way(staff("grace", scope, &[])))
}

async fn found(place: &Place, scope: BranchScope, query: wire::ComplaintQuery) -> Vec<String> {
    let request = wire::SearchComplaintsRequest { query: Some(query), ..Default::default() };
    let reply = search(place, scope).search_complaints(request).await.unwrap().into_inner();
    reply.complaints.into_iter().map(|complaint| complaint.complaint_id).collect()
}

fn words(words: &str) -> wire::ComplaintQuery {
    wire::ComplaintQuery { words: words.into(), ..Default::default() }
}

async fn about(place: &Place, branch: Uuid, subject: &str) -> wire::Complaint {
    place.house.clock.advance_us(1);
    let request = wire::OpenComplaintRequest {
        subject: subject.into(),
        narrative: String::new(),
        desired_outcome: String::new(),
        ..opening(branch)
    };
    place.agent().open_complaint(request).await.unwrap().into_inner().complaint.unwrap()
}

#[tokio::test]
async fn words_are_found_wherever_they_were_said() {
    for place in Place::both().await {
        let tea = about(&place, HERE, "Cold tea, rude waiter").await.complaint_id;
        let coffee = about(&place, HERE, "Cold COFFEE").await;
        let number = coffee.number.clone();
        let coffee = coffee.complaint_id;
        let all = BranchScope::All;
        assert_eventually(SOON, || async { found(&place, BranchScope::All, words("cold")).await.len() == 2 }).await;
        for (query, expected) in [
            ("cold", vec![&coffee, &tea]),
            ("tea COLD", vec![&tea]),
            ("cold, coffee!", vec![&coffee]),
            ("cold cocoa", vec![]),
            ("coff", vec![]),
            ("?!", vec![]),
            (number.as_str(), vec![&coffee]),
        ] {
            assert_eq!(found(&place, all.clone(), words(query)).await.iter().collect::<Vec<_>>(), expected, "{query}");
        }
        let said = wire::AddInteractionRequest {
            complaint_id: tea.clone(),
            direction: wire::InteractionDirection::Inbound.into(),
            channel: proto::karibu::types::v1::Channel::Email.into(),
            body: "The samovar leaks".into(),
            ..Default::default()
        };
        place.agent().add_interaction(said).await.unwrap();
        assert_eventually(SOON, || async {
            found(&place, BranchScope::All, words("samovar cold")).await == [tea.clone()]
        })
        .await;
    }
}

#[tokio::test]
async fn everything_that_is_known_narrows_a_search() {
    for place in Place::both().await {
        let first = place.open(HERE).await;
        place.house.clock.advance_us(HOUR_US);
        let second = place.open(THERE).await.complaint_id;
        let graver = wire::OpenComplaintRequest {
            severity: wire::Severity::Critical.into(),
            category_code: "BILLING".into(),
            customer_id: Uuid::from_u128(9).to_string(),
            ..opening(HERE)
        };
        place.house.clock.advance_us(1);
        let third = place.agent().open_complaint(graver).await.unwrap().into_inner().complaint.unwrap().complaint_id;
        let assign = wire::AssignComplaintRequest {
            complaint_id: second.clone(),
            owner_staff_id: GRACE.to_string(),
            ..Default::default()
        };
        place.agent().assign_complaint(assign).await.unwrap();
        let (first, opened) = (first.complaint_id.clone(), first.open_time);
        let any = wire::ComplaintQuery::default;
        for (query, expected) in [
            (any(), vec![&third, &second, &first]),
            (wire::ComplaintQuery { branch_id: HERE.to_string(), ..any() }, vec![&third, &first]),
            (wire::ComplaintQuery { customer_id: AMINA.to_string(), ..any() }, vec![&second, &first]),
            (wire::ComplaintQuery { owner_staff_id: GRACE.to_string(), ..any() }, vec![&second]),
            (wire::ComplaintQuery { category_code: "BILLING".into(), ..any() }, vec![&third]),
            (wire::ComplaintQuery { cause_code: "NONE_YET".into(), ..any() }, vec![]),
            (wire::ComplaintQuery { severities: vec![wire::Severity::Medium.into()], ..any() }, vec![&second, &first]),
            (
                wire::ComplaintQuery { sla_states: vec![wire::SlaState::None.into()], ..any() },
                vec![&third, &second, &first],
            ),
            (wire::ComplaintQuery { sla_states: vec![wire::SlaState::Breached.into()], ..any() }, vec![]),
            (wire::ComplaintQuery { states: vec![wire::ComplaintState::Closed.into()], ..any() }, vec![]),
            (wire::ComplaintQuery { open_end_time: opened, ..any() }, vec![]),
            (wire::ComplaintQuery { open_start_time: opened, ..any() }, vec![&third, &second, &first]),
        ] {
            let seen = found(&place, BranchScope::All, query.clone()).await;
            assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{query:?}");
        }
    }
}

#[tokio::test]
async fn a64_nothing_out_of_reach_is_found_counted_or_exported() {
    for place in Place::both().await {
        let hidden = about(&place, THERE, "Secret recipe").await.complaint_id;
        let seen = about(&place, HERE, "Secret sauce").await.complaint_id;
        assert_eventually(SOON, || async { found(&place, BranchScope::All, words("secret")).await.len() == 2 }).await;
        let here = || BranchScope::only([HERE]);
        assert_eq!(found(&place, here(), words("secret")).await, std::slice::from_ref(&seen));
        assert_eq!(found(&place, here(), words("recipe")).await, Vec::<String>::new());
        let there = wire::ComplaintQuery { branch_id: THERE.to_string(), ..words("") };
        assert_eq!(found(&place, here(), there.clone()).await, Vec::<String>::new());
        for (query, total) in [(words("secret"), 1), (words("recipe"), 0), (there, 0), (words(""), 1)] {
            let request = wire::CountComplaintsRequest { query: Some(query) };
            let counted = search(&place, here()).count_complaints(request).await.unwrap().into_inner();
            assert_eq!(counted.total, total);
            assert_eq!(counted.by_state.iter().map(|count| count.count).sum::<i64>(), total);
        }
        let request = wire::ExportComplaintsRequest { query: None };
        let sent = search(&place, here()).export_complaints(request).await.unwrap().into_inner();
        let sent: Vec<_> = sent.try_collect().await.unwrap();
        let ids: Vec<_> = sent.into_iter().filter_map(|sent| sent.complaint).map(|sent| sent.complaint_id).collect();
        assert_eq!(ids, [seen]);
        assert_ne!(ids, [hidden]);
    }
}

#[tokio::test]
async fn a66_a_region_finds_what_lies_below_it() {
    let place = Place::new().await;
    let (region, branch) = (Uuid::from_u128(0x9000), Uuid::from_u128(0x9001));
    for (id, code, parent) in [(region, "WEST", String::new()), (branch, "WEST-1", region.to_string())] {
        let told = BranchCreated {
            branch_id: id.to_string(),
            code: code.into(),
            parent_branch_id: parent,
            time_zone: "Africa/Kigali".into(),
            currency_code: "RWF".into(),
            ..Default::default()
        };
        place.neighbours.tell(About::thing(id), told).await;
        place.until_known(id).await;
    }
    let below = place.open(branch).await.complaint_id;
    let at = place.open(region).await.complaint_id;
    place.open(HERE).await;
    let query = wire::ComplaintQuery { branch_id: region.to_string(), ..Default::default() };
    let seen: HashSet<String> = found(&place, BranchScope::All, query).await.into_iter().collect();
    assert_eq!(seen, HashSet::from([below, at]));
}

#[tokio::test]
async fn a63_pages_show_everything_once_while_others_write() {
    for place in Place::both().await {
        // All of one day: only the id tells them apart.
        let complaints = (0..45).map(|n| past_case(HERE, &n.to_string())).collect();
        let import = wire::ImportComplaintsRequest { complaints, ..Default::default() };
        place.agent().import_complaints(import).await.unwrap();
        let all = BranchScope::All;
        let servicing = words("servicing escrow");
        let count = async || {
            let request = wire::CountComplaintsRequest { query: Some(words("servicing escrow")) };
            search(&place, BranchScope::All).count_complaints(request).await.unwrap().into_inner().total
        };
        assert_eventually(SOON, || async { count().await == 45 }).await;
        let (mut seen, mut token) = (Vec::new(), String::new());
        for round in 0.. {
            let request = wire::SearchComplaintsRequest {
                query: Some(servicing.clone()),
                page_size: 10,
                page_token: token.clone(),
            };
            let page = search(&place, all.clone()).search_complaints(request).await.unwrap().into_inner();
            seen.extend(page.complaints.into_iter().map(|complaint| complaint.complaint_id));
            let more = past_case(HERE, &format!("later-{round}"));
            let import = wire::ImportComplaintsRequest { complaints: vec![more], ..Default::default() };
            place.agent().import_complaints(import).await.unwrap();
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let once: HashSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "nothing twice");
        assert!(seen.len() >= 45, "nothing missed: {}", seen.len());
        let foreign = wire::SearchComplaintsRequest {
            query: Some(words("servicing")),
            page_token: {
                let first = wire::SearchComplaintsRequest {
                    query: Some(servicing.clone()),
                    page_size: 1,
                    ..Default::default()
                };
                search(&place, all.clone()).search_complaints(first).await.unwrap().into_inner().next_page_token
            },
            ..Default::default()
        };
        let refused = search(&place, all).search_complaints(foreign).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    }
}

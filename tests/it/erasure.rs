//! A person is forgotten: a complaint holds the erasure until it is over, then no word of theirs is left in any byte of
//! any database, and what only ever grows never held one in the clear.

use std::collections::BTreeSet;
use std::time::Duration;

use client::{Karibu, patiently, request_id};
use karibu::embedded::{Options, Suite};
use karibu_tests::scan::{compact, files_with, tables_with};
use karibu_tests::{Distributed, all_answer};
use kernel::Clock;
use proto::karibu::audit::v1 as audit;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::profile::v1 as profile;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::types::v1::Channel;
use testkit::assert_eventually;

/// In every personal text.
const CANARY: &str = "zQ7canary";
/// What only ever grows.
const GROWING: [&str; 6] = ["event_log", "request", "audit_log", "dead_letter", "complaint_history", "interaction"];
/// Time for what one service tells to take effect in another.
const SOON: Duration = Duration::from_secs(60);

/// What the person left behind.
struct Traces {
    customer: String,
    complaint: String,
    account: String,
    card: String,
}

fn words(what: &str) -> String {
    format!("{what} {CANARY}")
}

async fn live(karibu: &Karibu) -> Traces {
    let branch = organization::CreateBranchRequest {
        request_id: request_id(),
        code: "KGL-1".into(),
        display_name: "Kigali".into(),
        kind: organization::BranchKind::Business.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        ..Default::default()
    };
    let branch = karibu.organization().create_branch(branch).await.unwrap().into_inner().branch.unwrap().branch_id;
    let email = profile::Identifier {
        r#type: profile::IdentifierType::Email.into(),
        value: format!("{CANARY}@example.rw"),
        issuer: String::new(),
    };
    let request = profile::CreateCustomerRequest {
        request_id: request_id(),
        preferred_name: words("Beza"),
        identifiers: vec![email.clone()],
        home_branch_id: branch.clone(),
        ..Default::default()
    };
    let create = || async { karibu.profile().create_customer(request.clone()).await };
    let customer = patiently(SOON, create).await.unwrap().into_inner().customer.unwrap().customer_id;
    let repeat = create().await.unwrap().into_inner().customer.unwrap();
    assert_eq!(repeat.preferred_name, words("Beza"), "a repeat is answered in full, from what stands");
    let lookup = profile::LookupCustomerRequest { identifier: Some(email) };
    let found = karibu.profile().lookup_customer(lookup).await.unwrap().into_inner().customer.unwrap();
    assert_eq!(found.customer_id, customer, "found by the keyed hash of the handle");

    let (account, card) = join(karibu, &customer, &branch).await;
    let complaint = complain(karibu, &customer, &branch).await;
    Traces { customer, complaint, account, card }
}

async fn join(karibu: &Karibu, customer: &str, branch: &str) -> (String, String) {
    let program = loyalty::CreateProgramRequest {
        request_id: request_id(),
        code: "club".into(),
        display_name: "Club".into(),
        earn_rules: vec![loyalty::EarnRule { currency_code: "RWF".into(), points: 1, per_minor_units: 100 }],
        ..Default::default()
    };
    let program = karibu.loyalty().create_program(program).await.unwrap().into_inner().program.unwrap().program_id;
    let request = loyalty::EnrolCustomerRequest {
        request_id: request_id(),
        program_id: program,
        customer_id: customer.into(),
        home_branch_id: branch.into(),
        ..Default::default()
    };
    let enrol = || async { karibu.loyalty().enrol_customer(request.clone()).await };
    let account = patiently(SOON, enrol).await.unwrap().into_inner().account.unwrap();
    let repeat = enrol().await.unwrap().into_inner().account.unwrap();
    assert_eq!(repeat, account, "a repeat shows the card as well");
    (account.account_id, account.card_number)
}

async fn complain(karibu: &Karibu, customer: &str, branch: &str) -> String {
    let request = ticketing::OpenComplaintRequest {
        request_id: request_id(),
        branch_id: branch.into(),
        customer_id: customer.into(),
        channel: Channel::Email.into(),
        category_code: "wrong-item".into(),
        severity: ticketing::Severity::High.into(),
        subject: words("The cake"),
        narrative: words("It says Inez"),
        desired_outcome: words("Another cake"),
        ..Default::default()
    };
    let open = || async { karibu.ticketing().open_complaint(request.clone()).await };
    let opened = patiently(SOON, open).await.unwrap().into_inner().complaint.unwrap();
    let repeat = open().await.unwrap().into_inner().complaint.unwrap();
    assert_eq!(repeat, opened, "a repeat is answered in full, from what stands");
    let complaint_id = opened.complaint_id;
    let acknowledge = ticketing::AcknowledgeComplaintRequest {
        request_id: request_id(),
        complaint_id: complaint_id.clone(),
        channel: Channel::Email.into(),
        message: words("Dear"),
        ..Default::default()
    };
    karibu.ticketing().acknowledge_complaint(acknowledge).await.unwrap();
    let said = ticketing::AddInteractionRequest {
        request_id: request_id(),
        complaint_id: complaint_id.clone(),
        direction: ticketing::InteractionDirection::Inbound.into(),
        channel: Channel::Email.into(),
        body: words("When?"),
        external_message_id: "<1@mail>".into(),
        ..Default::default()
    };
    let first = karibu.ticketing().add_interaction(said.clone()).await.unwrap().into_inner();
    let again = karibu.ticketing().add_interaction(said.clone()).await.unwrap().into_inner();
    assert_eq!(again, first, "a repeat brings the words back");
    let same_mail = ticketing::AddInteractionRequest { request_id: request_id(), ..said };
    let same_mail = karibu.ticketing().add_interaction(same_mail).await.unwrap().into_inner();
    assert_eq!(same_mail.interaction, first.interaction, "so does the same message");
    complaint_id
}

async fn bodies(karibu: &Karibu, complaint: &str) -> Vec<String> {
    let list = ticketing::ListInteractionsRequest { complaint_id: complaint.into(), ..Default::default() };
    let page = karibu.ticketing().list_interactions(list).await.unwrap().into_inner();
    page.interactions.into_iter().map(|words| words.body).collect()
}

async fn erase(karibu: &Karibu, customer: &str) -> profile::ErasureCertificate {
    let request = profile::EraseCustomerRequest {
        request_id: request_id(),
        customer_id: customer.into(),
        reason_code: "asked".into(),
        ..Default::default()
    };
    karibu.profile().erase_customer(request).await.unwrap().into_inner().certificate.unwrap()
}

/// The person asks to be forgotten, and is once the complaint is over.
async fn forget(karibu: &Karibu, traces: &Traces) {
    assert_eq!(bodies(karibu, &traces.complaint).await, [words("Dear"), words("When?")]);
    let held = assert_eventually(SOON, || async {
        let get = profile::GetCustomerSummaryRequest { customer_id: traces.customer.clone() };
        let summary = karibu.profile().get_customer_summary(get).await.unwrap().into_inner().summary.unwrap();
        if summary.open_complaint_count == 0 { Err("the profile has not heard of the complaint") } else { Ok(()) }
    });
    held.await;
    let held = erase(karibu, &traces.customer).await;
    assert_eq!(held.state(), profile::ErasureState::Held);
    assert_eq!(held.holding_complaint_ids, std::slice::from_ref(&traces.complaint));

    let withdraw = ticketing::WithdrawComplaintRequest {
        request_id: request_id(),
        complaint_id: traces.complaint.clone(),
        statement: words("Leave it"),
        ..Default::default()
    };
    karibu.ticketing().withdraw_complaint(withdraw).await.unwrap();
    let done = assert_eventually(SOON, || async {
        let certificate = erase(karibu, &traces.customer).await;
        if certificate.state() == profile::ErasureState::Completed { Ok(certificate) } else { Err("still held") }
    })
    .await;
    assert_eq!(done.erasure_id, held.erasure_id, "one erasure, however often it is asked for");
    assert_eq!(erase(karibu, &traces.customer).await, done, "the same certificate");
    assert_eventually(SOON, || async {
        let get = ticketing::GetComplaintRequest { complaint_id: traces.complaint.clone() };
        let complaint = karibu.ticketing().get_complaint(get).await.unwrap().into_inner().complaint.unwrap();
        let get = loyalty::GetAccountRequest { account_id: traces.account.clone() };
        let account = karibu.loyalty().get_account(get).await.unwrap().into_inner().account.unwrap();
        if complaint.narrative.is_empty() && account.card_number.is_empty() {
            Ok(())
        } else {
            Err("not yet everywhere")
        }
    })
    .await;
    assert_eventually(SOON, || async {
        let bodies = bodies(karibu, &traces.complaint).await;
        if bodies == vec![String::new(); 3] { Ok(()) } else { Err(format!("their key is still known: {bodies:?}")) }
    })
    .await;
    let get = profile::GetCustomerRequest { customer_id: traces.customer.clone() };
    let customer = karibu.profile().get_customer(get).await.unwrap().into_inner().customer.unwrap();
    assert_eq!((customer.state(), customer.preferred_name.as_str()), (profile::CustomerState::Erased, ""));
    assert!(customer.identifiers.is_empty());
    let email = profile::Identifier {
        r#type: profile::IdentifierType::Email.into(),
        value: format!("{CANARY}@example.rw"),
        issuer: String::new(),
    };
    let lookup = profile::LookupCustomerRequest { identifier: Some(email) };
    assert_eq!(karibu.profile().lookup_customer(lookup).await.unwrap_err().code(), tonic::Code::NotFound);
}

/// Auditors find who did all that.
async fn account_for(karibu: &Karibu, traces: &Traces) {
    let entries = async |service: &str, trail: audit::AuditTrail, record: &str| {
        let request = audit::ListAuditEntriesRequest {
            service: service.into(),
            trail: trail.into(),
            record_id: record.into(),
            ..Default::default()
        };
        karibu.audit().list_audit_entries(request).await.unwrap().into_inner().audit_entries
    };
    let changes = audit::AuditTrail::Changes;
    let of_complaint = entries("ticketing", changes, &traces.complaint).await;
    let acts: Vec<&str> = of_complaint.iter().rev().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        acts,
        [
            "OpenComplaint",
            "AcknowledgeComplaint",
            "AcknowledgeComplaint",
            "AddInteraction",
            "WithdrawComplaint",
            "WithdrawComplaint"
        ]
    );
    let first = &of_complaint[of_complaint.len() - 1];
    assert_eq!((first.actor_kind.as_str(), first.origin.as_str()), ("key", "loopback"), "{first:?}");
    assert_eq!((first.old_version, first.new_version), (0, 1));
    assert_eq!((first.record_type.as_str(), first.customer_id.as_str()), ("complaint", traces.customer.as_str()));
    let of_customer = entries("profile", changes, &traces.customer).await;
    assert_eq!(of_customer[0].event_type, "karibu.profile.customer.erased.v1");
    assert_eq!(of_customer[0].actor_kind, "event", "it followed from the end of the complaint");
    assert!(!entries("profile", audit::AuditTrail::Notes, "").await.is_empty(), "the key of the service was made");
}

/// In the clear only where rows are rewritten, and nowhere in what only grows.
async fn check_tables(databases: &[(&str, String)], expected: bool) {
    let mut holding = BTreeSet::new();
    for (service, url) in databases {
        for table in tables_with(url, CANARY).await {
            assert!(!GROWING.contains(&table.as_str()), "{service}: {table} holds personal text in the clear");
            holding.insert(table);
        }
    }
    let rewritable: BTreeSet<String> = ["complaint", "customer"].map(str::to_owned).into();
    assert_eq!(holding, if expected { rewritable } else { BTreeSet::new() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_person_leaves_no_word_in_any_file_of_the_embedded_suite() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        clock: Clock::system(),
        telemetry: server::config::TelemetryConfig { log: "warn".into(), ..Default::default() },
        rate_limits: Default::default(),
        sign_in: Default::default(),
        tls: server::tls::TlsConfig::none(),
        new_key: false,
    };
    let suite = Suite::start(options).await.unwrap();
    let address = format!("http://{}", suite.address);
    let karibu = Karibu::connect(&address, suite.key.as_ref().unwrap()).await.unwrap();
    let services = ["organization", "profile", "ticketing", "loyalty", "feedback"];
    let file = |service: &str| folder.path().join(format!("{service}.db"));
    let databases: Vec<(&str, String)> =
        services.map(|service| (service, format!("sqlite:{}", file(service).display()))).into();
    let traces = live(&karibu).await;
    check_tables(&databases, true).await;
    assert!(!files_with(folder.path(), CANARY).is_empty(), "the search finds what is there");
    forget(&karibu, &traces).await;
    account_for(&karibu, &traces).await;
    check_tables(&databases, false).await;
    drop(karibu);
    suite.stop().await;
    for service in services {
        compact(&file(service)).await;
    }
    assert_eq!(files_with(folder.path(), CANARY), Vec::<String>::new());
    assert_eq!(files_with(folder.path(), &traces.card), Vec::<String>::new(), "nor the card");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_person_leaves_no_word_in_any_database_of_the_distributed_suite() {
    let suite = Distributed::start(&[]).await;
    let address = format!("http://{}", suite.gateway);
    assert!(all_answer(&address, &suite.key).await);
    let karibu = Karibu::connect(&address, &suite.key).await.unwrap();
    let databases: Vec<(&str, String)> = suite.databases.iter().map(|(name, url)| (*name, url.clone())).collect();
    let traces = live(&karibu).await;
    check_tables(&databases, true).await;
    forget(&karibu, &traces).await;
    account_for(&karibu, &traces).await;
    check_tables(&databases, false).await;
    for (_, url) in &databases {
        assert!(tables_with(url, &traces.card).await.is_empty(), "nor the card");
    }
}

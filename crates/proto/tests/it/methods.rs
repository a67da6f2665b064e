//! What the gateway and the services read about methods.

use proto::{HttpMethod, Permission, methods};

#[test]
fn a_verb_is_described_in_full() {
    let method = methods().find("/karibu.ticketing.v1.TicketingService/ResolveComplaint").unwrap();
    assert_eq!(method.grpc_service, "karibu.ticketing.v1.TicketingService");
    assert_eq!(method.service, "ticketing");
    assert_eq!(method.permission, Permission::ComplaintWrite);
    assert!(!method.read_only && !method.is_public() && !method.is_internal() && method.is_unary());
    let [binding] = method.http.as_slice() else { panic!("one binding") };
    assert_eq!(binding.method, HttpMethod::Post);
    assert_eq!(binding.path, "/v1/complaints/{complaint_id}:resolve");
    assert!(binding.has_body);
}

#[test]
fn reading_by_post_is_read_only() {
    assert!(methods().find("/karibu.profile.v1.ProfileService/LookupCustomer").unwrap().read_only);
    assert!(methods().find("/karibu.profile.v1.ProfileService/GetCustomer").unwrap().read_only);
    assert!(!methods().find("/karibu.profile.v1.ProfileService/CreateCustomer").unwrap().read_only);
}

#[test]
fn internal_methods_are_exactly_these() {
    let internal: Vec<&str> =
        methods().iter().filter(|method| method.is_internal()).map(|method| &*method.path).collect();
    assert_eq!(
        internal,
        [
            "/karibu.events.v1.LogService/ReadLog",
            "/karibu.hop.v1.LaneService/Batch",
            "/karibu.organization.v1.AccessService/RecordApiKeyUse",
            "/karibu.organization.v1.AccessService/ResolvePrincipal",
            "/karibu.organization.v1.OrganizationService/VerifyApiKey",
        ]
    );
}

#[test]
fn public_methods_are_exactly_these() {
    let public: Vec<&str> = methods().iter().filter(|method| method.is_public()).map(|method| &*method.path).collect();
    assert_eq!(
        public,
        ["/karibu.feedback.v1.FeedbackService/GetSurveyPage", "/karibu.feedback.v1.FeedbackService/SubmitResponse",]
    );
}

#[test]
fn streams_are_exactly_these() {
    let streams: Vec<&str> = methods().iter().filter(|method| !method.is_unary()).map(|method| &*method.path).collect();
    assert_eq!(
        streams,
        [
            "/karibu.gateway.v1.EventService/Subscribe",
            "/karibu.hop.v1.LaneService/Batch",
            "/karibu.ticketing.v1.SearchService/ExportComplaints",
        ]
    );
}

#[test]
fn an_unknown_path_is_not_found() {
    assert!(methods().find("/karibu.ticketing.v1.TicketingService/DropEverything").is_none());
}

#[test]
fn the_documented_set_holds_comments_and_imports() {
    use prost::Message;
    let set = prost_types::FileDescriptorSet::decode(proto::DESCRIPTOR_SET).unwrap();
    let file = |name: &str| set.file.iter().find(|file| file.name() == name).unwrap();
    let comments = file("karibu/ticketing/v1/complaint.proto").source_code_info.as_ref().unwrap();
    assert!(comments.location.iter().any(|place| place.leading_comments().contains("A complaint.")));
    file("google/api/annotations.proto");
    file("google/protobuf/timestamp.proto");
}

#[test]
fn the_repository_holds_no_contract_of_a_third_party() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut open = vec![root];
    let mut count = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(text.contains("\npackage karibu."), "{}", path.display());
                count += 1;
            }
        }
    }
    assert!(count >= 20, "only {count} files seen");
}

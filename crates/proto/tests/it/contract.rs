//! The contract keeps its laws, and the laws find what breaks them.

use prost_reflect::DescriptorPool;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver};

use crate::contract_rules::findings;

#[test]
fn the_contract_keeps_its_laws() {
    let found = findings(proto::pool());
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_method_without_options_is_found() {
    let found = findings_of(
        "service ThingService { rpc MoveThing(MoveThingRequest) returns (MoveThingResponse); }
         message MoveThingRequest {} message MoveThingResponse {}",
    );
    assert_eq!(found, ["/karibu.thing.v1.ThingService/MoveThing: no permission"]);
}

#[test]
fn a_public_method_without_an_address_is_found() {
    let found = findings_of(&method("", "bool read = 1;"));
    assert_eq!(
        found,
        [
            "/karibu.thing.v1.ThingService/MoveThing: public methods have an HTTP mapping, internal ones have none",
            "/karibu.thing.v1.ThingService/MoveThing: field 1 is not `request_id`",
        ]
    );
}

#[test]
fn a_change_without_version_and_with_an_unknown_path_field_is_found() {
    let found = findings_of(&method(
        r#"option (google.api.http) = {post: "/v1/things/{thing_id}:move", body: "*"};"#,
        "string request_id = 1 [(karibu.options.v1.field) = {pattern: PATTERN_REQUEST_ID}];",
    ));
    assert_eq!(
        found,
        [
            "/karibu.thing.v1.ThingService/MoveThing: `thing_id` of the path is no required text",
            "/karibu.thing.v1.ThingService/MoveThing: changes something that stands, but takes no `etag`",
        ]
    );
}

#[test]
fn input_without_a_limit_and_personal_data_in_an_address_are_found() {
    let found = findings_of(&method(
        r#"option (google.api.http) = {get: "/v1/things"};"#,
        "string name = 1 [(karibu.options.v1.field) = {personal: true}]; repeated int32 sizes = 2;",
    ));
    assert_eq!(
        found,
        [
            "/karibu.thing.v1.ThingService/MoveThing: personal data in an address",
            "karibu.thing.v1.MoveThingRequest.name: a text without a limit",
            "karibu.thing.v1.MoveThingRequest.sizes: a list without a limit",
        ]
    );
}

#[test]
fn a_resource_without_version_and_an_event_with_personal_data_are_found() {
    let found = findings_of(
        r#"message Thing { option (karibu.options.v1.resource) = {id_field: "thing_id"}; string thing_id = 1; }
           message ThingMoved {
             option (karibu.options.v1.event) = {type: "karibu.thing.thing.moved.v1"};
             string thing_code = 1 [(karibu.options.v1.field) = {personal: true}];
             string note = 2;
           }"#,
    );
    assert_eq!(
        found,
        [
            "karibu.thing.v1.Thing: no `etag`",
            "karibu.thing.v1.Thing: no `create_time` or no `update_time`",
            "karibu.thing.v1.ThingMoved: karibu.thing.v1.ThingMoved.thing_code is personal or secret",
            "karibu.thing.v1.ThingMoved: karibu.thing.v1.ThingMoved.note may hold free text",
        ]
    );
}

#[test]
fn a_list_without_pages_and_an_address_used_twice_are_found() {
    let rpc = |name: &str| {
        format!(
            r#"rpc {name}({name}Request) returns ({name}Response) {{
                 option (google.api.http) = {{get: "/v1/things"}};
                 option (karibu.options.v1.method) = {{permission: PERMISSION_CUSTOMER_READ}};
               }}"#
        )
    };
    let found = findings_of(&format!(
        "service ThingService {{ {} {} }} message ListThingsRequest {{}} message ListThingsResponse {{}}
         message FindThingRequest {{}} message FindThingResponse {{}}",
        rpc("ListThings"),
        rpc("FindThing")
    ));
    assert_eq!(
        found,
        [
            "/karibu.thing.v1.ThingService/ListThings: a list without pages",
            "/karibu.thing.v1.ThingService/FindThing: the address belongs to /karibu.thing.v1.ThingService/ListThings",
        ]
    );
}

/// A service with one changing method, its options and its request.
fn method(options: &str, request: &str) -> String {
    format!(
        "service ThingService {{
           rpc MoveThing(MoveThingRequest) returns (MoveThingResponse) {{
             {options}
             option (karibu.options.v1.method) = {{permission: PERMISSION_CUSTOMER_WRITE}};
           }}
         }}
         message MoveThingRequest {{ {request} }} message MoveThingResponse {{}}"
    )
}

/// What is found in a contract that consists of one file with `body`.
fn findings_of(body: &str) -> Vec<String> {
    struct OneFile(String);
    impl FileResolver for OneFile {
        fn open_file(&self, name: &str) -> Result<File, protox::Error> {
            if name == "thing.proto" {
                File::from_source(name, &self.0)
            } else {
                Err(protox::Error::file_not_found(name))
            }
        }
    }
    let mut resolver = ChainFileResolver::new();
    resolver.add(OneFile(format!(
        "syntax = \"proto3\"; package karibu.thing.v1; import \"google/api/annotations.proto\";
         import \"karibu/options/v1/options.proto\"; {body}"
    )));
    resolver.add(DescriptorSetFileResolver::decode(proto::LEAN_DESCRIPTOR_SET).unwrap());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file("thing.proto").unwrap();
    findings(&DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap())
}

//! `google/api/http.proto` and `google/api/annotations.proto` described in code: ten fields and one extension are all
//! that is needed of them, so the repository holds no file of a third party.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, FileOptions, OneofDescriptorProto,
};

const HTTP_FILE: &str = "google/api/http.proto";
const ANNOTATIONS_FILE: &str = "google/api/annotations.proto";
const PACKAGE: &str = "google.api";
const HTTP_RULE: &str = ".google.api.HttpRule";
/// Number of the extension `google.api.http`, given by its owners.
const HTTP_EXTENSION: i32 = 72_295_728;

/// The two files.
pub(crate) fn file_set() -> FileDescriptorSet {
    FileDescriptorSet { file: vec![http_file(), annotations_file()] }
}

fn http_file() -> FileDescriptorProto {
    let pattern = |name, number| FieldDescriptorProto { oneof_index: Some(0), ..text(name, number) };
    let rule = DescriptorProto {
        name: Some("HttpRule".to_owned()),
        field: vec![
            text("selector", 1),
            pattern("get", 2),
            pattern("put", 3),
            pattern("post", 4),
            pattern("delete", 5),
            pattern("patch", 6),
            FieldDescriptorProto { oneof_index: Some(0), ..message("custom", 8, ".google.api.CustomHttpPattern") },
            text("body", 7),
            text("response_body", 12),
            FieldDescriptorProto {
                label: Some(Label::Repeated.into()),
                ..message("additional_bindings", 11, HTTP_RULE)
            },
        ],
        oneof_decl: vec![OneofDescriptorProto { name: Some("pattern".to_owned()), options: None }],
        ..Default::default()
    };
    let custom = DescriptorProto {
        name: Some("CustomHttpPattern".to_owned()),
        field: vec![text("kind", 1), text("path", 2)],
        ..Default::default()
    };
    file(HTTP_FILE, vec![rule, custom], Vec::new(), Vec::new())
}

fn annotations_file() -> FileDescriptorProto {
    let http = FieldDescriptorProto {
        extendee: Some(".google.protobuf.MethodOptions".to_owned()),
        ..message("http", HTTP_EXTENSION, HTTP_RULE)
    };
    let imports = vec![HTTP_FILE.to_owned(), "google/protobuf/descriptor.proto".to_owned()];
    file(ANNOTATIONS_FILE, Vec::new(), vec![http], imports)
}

fn file(
    name: &str,
    messages: Vec<DescriptorProto>,
    extensions: Vec<FieldDescriptorProto>,
    imports: Vec<String>,
) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.to_owned()),
        package: Some(PACKAGE.to_owned()),
        dependency: imports,
        message_type: messages,
        extension: extensions,
        options: Some(FileOptions::default()),
        syntax: Some("proto3".to_owned()),
        ..Default::default()
    }
}

fn text(name: &str, number: i32) -> FieldDescriptorProto {
    field(name, number, Type::String)
}

fn message(name: &str, number: i32, type_name: &str) -> FieldDescriptorProto {
    FieldDescriptorProto { type_name: Some(type_name.to_owned()), ..field(name, number, Type::Message) }
}

fn field(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some(kind.into()),
        json_name: Some(json_name(name)),
        ..Default::default()
    }
}

/// `response_body` -> `responseBody`.
fn json_name(name: &str) -> String {
    let mut upper = false;
    let mut json = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter == '_' {
            upper = true;
        } else {
            json.push(if upper { letter.to_ascii_uppercase() } else { letter });
            upper = false;
        }
    }
    json
}

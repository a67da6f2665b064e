//! What the contract says about every method: who may call it, whether it changes anything, how it looks over HTTP. Who
//! a caller is and what it may do is decided elsewhere.

use std::collections::HashMap;
use std::sync::OnceLock;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use prost_types::method_options::IdempotencyLevel;

use crate::options::{method_rule, option};
use crate::{Permission, RateClass, pool};

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates, or does what its path says.
    Post,
    /// Replaces.
    Put,
    /// Changes some fields.
    Patch,
    /// Deletes.
    Delete,
}

impl HttpMethod {
    /// Name on the wire: `GET`, `POST` …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// How a method looks over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBinding {
    /// Method of HTTP.
    pub method: HttpMethod,
    /// Path with plain `{field}` segments and, at the end, perhaps a `:verb`.
    pub path: String,
    /// The whole request message is the body (`*`). Otherwise there is no body, and fields that are not in the path are
    /// query parameters.
    pub has_body: bool,
}

/// What the contract says about one method.
#[derive(Debug, Clone)]
pub struct MethodInfo {
    /// gRPC path, for example `/karibu.ticketing.v1.TicketingService/OpenComplaint`.
    pub path: String,
    /// gRPC service, for example `karibu.ticketing.v1.TicketingService`.
    pub grpc_service: String,
    /// Short name of the package, for example `ticketing`; for most methods the service that answers.
    pub service: String,
    /// What the caller must be allowed to do. UNSPECIFIED, which allows nobody, if the contract forgot to say.
    pub permission: Permission,
    /// Request field that holds the short name of the service which answers, where several serve the method.
    pub route_by: Option<String>,
    /// What a call costs the house, where that is not told by its kind.
    pub rate: RateClass,
    /// It changes nothing: safe to repeat without a key.
    pub read_only: bool,
    /// The caller sends a stream.
    pub client_streaming: bool,
    /// The service answers with a stream.
    pub server_streaming: bool,
    /// How it looks over HTTP; empty for internal methods.
    pub http: Vec<HttpBinding>,
    /// The descriptor, for request and response types.
    pub descriptor: MethodDescriptor,
}

impl MethodInfo {
    /// Anyone may call it, without a credential.
    pub fn is_public(&self) -> bool {
        self.permission == Permission::Public
    }

    /// Only services of the installation may call it; the public door must not know it.
    pub fn is_internal(&self) -> bool {
        matches!(self.permission, Permission::Internal | Permission::Unspecified)
    }

    /// It can be carried by a lane: one request, one answer.
    pub fn is_unary(&self) -> bool {
        !self.client_streaming && !self.server_streaming
    }
}

/// All methods of the contract.
#[derive(Debug)]
pub struct Methods {
    in_order: Vec<MethodInfo>,
    by_path: HashMap<String, usize>,
}

impl Methods {
    /// The methods that `pool` describes. Everyone but a test of the contract uses [`methods`].
    pub fn read(pool: &DescriptorPool) -> Self {
        let in_order: Vec<MethodInfo> = pool
            .services()
            .filter(|service| service.package_name().starts_with("karibu."))
            .flat_map(|service| service.methods().map(method_info).collect::<Vec<_>>())
            .collect();
        let by_path = in_order.iter().enumerate().map(|(index, method)| (method.path.clone(), index)).collect();
        Self { in_order, by_path }
    }

    /// The method with this gRPC path.
    pub fn find(&self, path: &str) -> Option<&MethodInfo> {
        self.by_path.get(path).map(|index| &self.in_order[*index])
    }

    /// All methods, in the order of the contract.
    pub fn iter(&self) -> impl Iterator<Item = &MethodInfo> {
        self.in_order.iter()
    }
}

/// All methods of the contract, read off the descriptors once per process.
pub fn methods() -> &'static Methods {
    static METHODS: OnceLock<Methods> = OnceLock::new();
    METHODS.get_or_init(|| Methods::read(pool()))
}

fn method_info(descriptor: MethodDescriptor) -> MethodInfo {
    let grpc_service = descriptor.parent_service().full_name().to_owned();
    let rule = method_rule(&descriptor).unwrap_or_default();
    let http = option(descriptor.parent_pool(), &descriptor.options(), "google.api.http");
    let http = http.as_ref().map(http_bindings).unwrap_or_default();
    let level = descriptor.method_descriptor_proto().options.as_ref().map(|options| options.idempotency_level());
    MethodInfo {
        path: format!("/{grpc_service}/{}", descriptor.name()),
        service: grpc_service.split('.').nth(1).unwrap_or_default().to_owned(),
        grpc_service,
        permission: rule.permission(),
        rate: rule.rate(),
        route_by: Some(rule.route_by).filter(|name| !name.is_empty()),
        read_only: level == Some(IdempotencyLevel::NoSideEffects)
            || http.iter().any(|binding| binding.method == HttpMethod::Get),
        client_streaming: descriptor.is_client_streaming(),
        server_streaming: descriptor.is_server_streaming(),
        http,
        descriptor,
    }
}

/// The binding of a `google.api.HttpRule`, and its additional ones.
fn http_bindings(rule: &DynamicMessage) -> Vec<HttpBinding> {
    let verbs = [
        ("get", HttpMethod::Get),
        ("post", HttpMethod::Post),
        ("put", HttpMethod::Put),
        ("patch", HttpMethod::Patch),
        ("delete", HttpMethod::Delete),
    ];
    let has_body = text(rule, "body").is_some();
    let mut bindings: Vec<HttpBinding> = verbs
        .into_iter()
        .filter_map(|(name, method)| text(rule, name).map(|path| HttpBinding { method, path, has_body }))
        .collect();
    if let Some(more) = rule.get_field_by_name("additional_bindings")
        && let Some(list) = more.as_list()
    {
        bindings.extend(list.iter().filter_map(Value::as_message).flat_map(http_bindings));
    }
    bindings
}

/// Text of a field; none if it is empty.
fn text(message: &DynamicMessage, field: &str) -> Option<String> {
    let value = message.get_field_by_name(field)?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

//! gRPC server reflection over the contract's descriptors, for grpcurl and clients without generated code.

use std::collections::BTreeSet;

use tonic::service::Routes;
use tonic_reflection::server::Builder;

use crate::kit::Started;

/// Adds both versions of the reflection service, listing the gRPC services of `services`; behind a door, only those
/// that it lets through.
pub(crate) fn add(routes: Routes, services: &[Started]) -> Routes {
    let door = services.iter().find(|service| service.door.is_some());
    let listed = door.map_or(services, std::slice::from_ref);
    let builder = || {
        let names: BTreeSet<&str> = listed.iter().flat_map(|service| service.services.iter().copied()).collect();
        names.into_iter().fold(
            Builder::configure()
                .register_encoded_file_descriptor_set(proto::LEAN_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                .with_service_name("grpc.health.v1.Health"),
            |builder, name| builder.with_service_name(name),
        )
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => routes.add_service(v1).add_service(v1alpha),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "the descriptors do not decode, reflection is off");
            routes
        }
    }
}

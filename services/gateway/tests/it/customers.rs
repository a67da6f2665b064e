//! Customers with a token of theirs: what it opens, and that it opens nothing else. The things themselves are read in the
//! journeys of the workspace, where the services that keep them are.

use http::uri::PathAndQuery;
use karibu_gateway::admission::CustomerTokens;
use karibu_gateway::admission::customer::{Own, PURPOSE, Thing};
use proto::Permission;
use store::Uuid;
use tonic::client::Grpc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::stage::{Stage, keyed, reason};

fn tokens(stage: &Stage) -> CustomerTokens {
    CustomerTokens::new(&[], stage.house.minter.as_ref().unwrap().derived_secret(PURPOSE))
}

fn own(thing: Thing) -> Own {
    Own { customer: Uuid::from_u128(7), thing }
}

async fn call(stage: &Stage, path: &str, token: &str) -> Result<(), Status> {
    let mut grpc = Grpc::new(stage.channel().await);
    grpc.ready().await.unwrap();
    let path: PathAndQuery = path.parse().unwrap();
    let request = keyed((), token);
    grpc.server_streaming(request, path, ProstCodec::<(), ()>::default()).await?.into_inner().message().await?;
    Ok(())
}

#[tokio::test]
async fn a_customer_reaches_the_methods_for_customers_and_no_other() {
    let stage = Stage::new().await;
    let token = tokens(&stage).make(&own(Thing::Complaint(Uuid::from_u128(8))), u64::MAX);
    let mut reached = Vec::new();
    for method in proto::methods().iter() {
        let path = method.path.as_str();
        let status = call(&stage, path, &token).await.unwrap_err();
        let expected = match method.permission {
            Permission::Internal | Permission::Unspecified => Code::Unimplemented,
            // A credential is not looked at there, and nobody is behind the door in this test.
            Permission::Public => Code::Unavailable,
            Permission::CustomerOwn => {
                reached.push(method.descriptor.name().to_owned());
                assert!(matches!(status.code(), Code::Unavailable | Code::NotFound), "{path}: {status:?}");
                continue;
            }
            _ => Code::PermissionDenied,
        };
        assert_eq!(status.code(), expected, "{path}: {status:?}");
    }
    assert_eq!(reached, ["GetOwnComplaint", "GetOwnCard"]);
}

#[tokio::test]
async fn a_token_for_one_thing_opens_no_other() {
    let stage = Stage::new().await;
    let tokens = tokens(&stage);
    let complaint = tokens.make(&own(Thing::Complaint(Uuid::from_u128(8))), u64::MAX);
    let card = tokens.make(&own(Thing::Card(Uuid::from_u128(8))), u64::MAX);
    for (path, right, wrong) in [
        ("/karibu.gateway.v1.CustomerService/GetOwnComplaint", &complaint, &card),
        ("/karibu.gateway.v1.CustomerService/GetOwnCard", &card, &complaint),
    ] {
        let refused = call(&stage, path, wrong).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "NOT_OWN"), "{path}");
        // It goes on to the service that keeps it, which is not there.
        assert_eq!(call(&stage, path, right).await.unwrap_err().code(), Code::Unavailable, "{path}");
    }
}

#[tokio::test]
async fn a_token_that_ended_or_was_made_elsewhere_opens_nothing() {
    let stage = Stage::new().await;
    let thing = own(Thing::Card(Uuid::from_u128(8)));
    let other = CustomerTokens::new(&["a secret of someone else".to_owned()], [0; 32]);
    let good = tokens(&stage).make(&thing, u64::MAX);
    let mut changed = good.clone().into_bytes();
    changed[10] = if changed[10] == b'A' { b'B' } else { b'A' };
    for wrong in [
        tokens(&stage).make(&thing, 1),
        other.make(&thing, u64::MAX),
        String::from_utf8(changed).unwrap(),
        good[..good.len() - 2].to_owned(),
        "kc_".to_owned(),
    ] {
        let headers = [("authorization", format!("Bearer {wrong}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(stage.send("GET", "/v1/own/card", &headers, b"").await.status, 401, "{wrong}");
        let as_key = stage.json("GET", "/v1/own/card", &wrong, "").await;
        assert_eq!(as_key.status, 401, "{wrong}");
    }
    let as_key = stage.json("GET", "/v1/own/card", &good, "").await;
    assert_eq!(as_key.status, 401, "a customer's token is no API key");
}

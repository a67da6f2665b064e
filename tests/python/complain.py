"""A gRPC client that knows nothing of Karibu but its address and a key: it learns the contract by reflection, opens a
complaint, reads it back and waits for its event. Prints one JSON object."""

import argparse
import json
import threading

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

TIMEOUT_S = 30


class Client:
    def __init__(self, address, key):
        self.channel = grpc.insecure_channel(address)
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        self.metadata = [("authorization", f"Bearer {key}")]

    def method(self, service, name):
        method = self.pool.FindServiceByName(service).FindMethodByName(name)
        request, response = (message_factory.GetMessageClass(t) for t in (method.input_type, method.output_type))
        kind = self.channel.unary_stream if method.server_streaming else self.channel.unary_unary
        call = kind(
            f"/{service}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        return lambda body: call(json_format.ParseDict(body, request()), metadata=self.metadata, timeout=TIMEOUT_S)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("key")
    client = Client(**vars(parser.parse_args()))

    organization = "karibu.organization.v1.OrganizationService"
    business = client.method(organization, "ListBranches")({"kind": "BRANCH_KIND_BUSINESS"}).branches
    place = {"kind": "BRANCH_KIND_BRANCH", "parentBranchId": business[0].branch_id} if business else {
        "kind": "BRANCH_KIND_BUSINESS"}
    branch = client.method(organization, "CreateBranch")({
        "code": "PY1", "displayName": "Python", "timeZone": "Africa/Kigali", "currencyCode": "RWF", **place,
    }).branch

    seen, arrived = [], threading.Event()
    stream = client.method("karibu.gateway.v1.EventService", "Subscribe")({
        "position": "START_POSITION_EARLIEST",
        "filter": {"types": ["karibu.ticketing.complaint.opened.v1"], "branchIds": [branch.branch_id]},
    })

    def listen():
        try:
            for batch in stream:
                seen.extend(batch.events)
                if seen:
                    arrived.set()
        except grpc.RpcError:
            pass

    threading.Thread(target=listen, daemon=True).start()

    opening = {
        "branchId": branch.branch_id, "channel": "CHANNEL_WEB", "categoryCode": "queue",
        "subject": "Nobody was at the till", "requestId": "python-1",
    }
    open_complaint = client.method("karibu.ticketing.v1.TicketingService", "OpenComplaint")
    # The branch reaches ticketing as an event; until then the refusal says so.
    for _ in range(500):
        try:
            opened = open_complaint(opening).complaint
            break
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.FAILED_PRECONDITION:
                raise
            threading.Event().wait(0.02)
    again = open_complaint(opening).complaint
    get_complaint = client.method("karibu.ticketing.v1.TicketingService", "GetComplaint")
    read = get_complaint({"complaintId": opened.complaint_id}).complaint
    arrived.wait(TIMEOUT_S)
    stream.cancel()

    try:
        get_complaint({"complaintId": "not-a-uuid"})
        bad_input = None
    except grpc.RpcError as error:
        bad_input = [error.code().name, error.details()]
    print(json.dumps({
        "opened": opened.complaint_id,
        "repeated": again.complaint_id,
        "read": json_format.MessageToDict(read),
        "events": [{"type": e.type, "id": e.id, "attributes": dict(e.attributes)} for e in seen],
        "bad_input": bad_input,
    }))


main()

"""A client over plain HTTP with nothing but Python's standard library: JSON, entity tags, idempotency keys and
Server-Sent Events, the way a till or a browser would. Prints one JSON object."""

import argparse
import http.client
import json
import time

TIMEOUT_S = 30


class Browser:
    def __init__(self, address, key):
        self.address, self.key = address, key

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("x-api-key", self.key)
        if body is not None:
            headers["content-type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return {"status": answer.status, "etag": answer.getheader("etag"), "body": json.loads(text) if text else None}

    def listen(self, query, count, **headers):
        """Messages with events, as (id, event), until `count` of them came."""
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", f"/v1/events:subscribe?{query}", None, {"x-api-key": self.key, **headers})
        answer = connection.getresponse()
        assert answer.getheader("content-type") == "text/event-stream", answer.status
        heard, last_id, begun = [], None, time.monotonic()
        while len(heard) < count:
            assert time.monotonic() - begun < TIMEOUT_S, f"only {heard} came"
            line = answer.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                last_id = line[4:]
            elif line.startswith("data: "):
                heard += [(last_id, event) for event in json.loads(line[6:]).get("events", [])]
        connection.close()
        return heard


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("key")
    browser = Browser(**vars(parser.parse_args()))

    root = {"code": "WEB", "displayName": "Web", "kind": "BRANCH_KIND_BUSINESS", "timeZone": "Africa/Kigali",
            "currencyCode": "RWF"}
    made = browser.ask("POST", "/v1/branches", root, idempotency_key="browse-1")
    again = browser.ask("POST", "/v1/branches", root, idempotency_key="browse-1")
    branch = made["body"]["branch"]["branchId"]
    address = f"/v1/branches/{branch}"
    rename = {"updateMask": "displayName", "displayName": "World Wide"}
    stale = browser.ask("PATCH", address, rename, if_match='"99"')
    renamed = browser.ask("PATCH", address, rename, if_match=browser.ask("GET", address)["etag"])

    def patiently(method, path, body):
        """The branch reaches the other services by an event, which may be a moment away."""
        answer = None
        for _ in range(1000):
            answer = browser.ask(method, path, body)
            if answer["status"] == 200 or "BRANCH_UNKNOWN" not in json.dumps(answer["body"]):
                return answer
        return answer

    customer = patiently("POST", "/v1/customers", {
        "homeBranchId": branch, "preferredName": "Ann", "identifiers": [{"type": "IDENTIFIER_TYPE_EMAIL", "value": "ann@example.com"}],
    })
    customer_id = customer["body"].get("customer", {}).get("customerId", "")
    complaint = patiently("POST", "/v1/complaints", {
        "branchId": branch, "customerId": customer_id, "channel": "CHANNEL_WEB", "subject": "The page was slow",
    })
    complaint_id = complaint["body"].get("complaint", {}).get("complaintId", "")
    assert complaint_id and customer_id, (customer, complaint)
    opened, acknowledging = (f"filter.types=karibu.ticketing.complaint.{event}.v1" for event in ("opened", "acknowledged"))
    kinds = f"{opened}&{acknowledging}&maxBatch=1"
    acknowledged = browser.ask("POST", f"/v1/complaints/{complaint_id}:acknowledge", {"channel": "CHANNEL_WEB", "message": "We look into it."})
    assert acknowledged["status"] == 200, acknowledged
    heard = browser.listen(kinds, 2)
    resumed = browser.listen(kinds, 1, last_event_id=heard[0][0])

    print(json.dumps({
        "made": made, "again": again, "stale": stale, "renamed": renamed, "customer": customer, "complaint": complaint,
        "acknowledged": acknowledged, "heard": [event for _, event in heard], "resumed": [event for _, event in resumed],
        "overview": browser.ask("GET", f"/v1/customers/{customer_id}/overview"),
        "stranger": browser.ask("GET", address, x_api_key="kb_live_nobody"),
        "unknown_field": browser.ask("POST", "/v1/branches", {"colour": "red"}),
        "unknown_path": browser.ask("GET", "/v1/nothing"),
        "survey_page": browser.ask("GET", "/v1/surveyPages/no-such-token-0001", x_api_key=""),
    }))


if __name__ == "__main__":
    main()

"""A NATS subscriber that knows nothing of Karibu but a subject: prints `subscribed`, then one JSON object for each message,
until every type given has been heard."""

import asyncio
import json
import sys

import nats

TIMEOUT_S = 120


async def main(url, subject, *types):
    connection = await nats.connect(url)
    wanted = set(types)
    done = asyncio.Event()

    async def hear(message):
        headers = dict(message.headers or {})
        print(json.dumps({"subject": message.subject, "headers": headers, "bytes": len(message.data)}), flush=True)
        wanted.discard(headers.get("ce-type"))
        if not wanted:
            done.set()

    await connection.subscribe(subject, cb=hear)
    await connection.flush()
    print("subscribed", flush=True)
    await asyncio.wait_for(done.wait(), TIMEOUT_S)
    await connection.close()


asyncio.run(main(*sys.argv[1:]))

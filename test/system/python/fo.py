"""A flexibility operator over WebSocket (package `websockets`) or MQTT 3.1.1 and 5 (package `paho-mqtt`).

It says Hello, keeps the heartbeat, answers events, and comes back after a lost connection with what it has heard last.
Events, as JSON lines like those of control.py:

    up {heartbeatS}, down {why}            the link
    message {type, eventSeq, body, …}      each event and stream message; `problem` says what is wrong with a signature
    result {id, type, status, …}           what became of a `request`; `problems` of documents that QueryRecords brought
    chain {entries, problem}               of an `audit`

Orders:

    {"do": "request", "type": "RequestService", "body": {…}, "id": "r1"}
    {"do": "stream", "type": "UpdateSetpoint", "body": {…}}      without waiting for a result
    {"do": "audit"}                                              reads the whole event log and checks its chain
    {"do": "drop", "forS": 3}                                    loses the connection for so long
    {"do": "stop"}                                               closes the link
"""

import argparse
import asyncio
import json
import os
import time
import urllib.request
import uuid
from typing import Any

import websockets
from paho.mqtt.client import MQTTv5, MQTTv311

from control import first_of, obey, say
from fo_link import Link, LinkLost
from fo_mqtt import MqttLink
from fo_websocket import WebSocketLink
from profiles import now_text
from signatures import chain_problem, problem

PROFILE = "v2gate-fo/1"
STREAMS = ("Heartbeat", "Telemetry")
SIGNED = ("ServiceRecord", "Proof")
MQTT_VERSIONS = {"4": MQTTv311, "5": MQTTv5}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="ws://… or mqtt://host:port")
    parser.add_argument("--party", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--jwks", help="where the public keys of the gateway are")
    parser.add_argument("--mqtt-version", choices=list(MQTT_VERSIONS), default="5")
    parser.add_argument("--heartbeat-s", type=int, default=5)
    return parser.parse_args()


class Operator:
    """One party. The link may change below it."""

    def __init__(self, o: argparse.Namespace, link: Link) -> None:
        self.o = o
        self.link = link
        self.last_event = 0
        self.away_s = 1.0
        self.waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def run(self) -> None:
        """Connects again and again, until it is told to stop."""
        await first_of(self.live(), obey(self.orders()))

    async def live(self) -> None:
        while True:
            try:
                await self.link.open()
                await first_of(self.listen(), self.talk())
            except (TimeoutError, LinkLost, websockets.WebSocketException, OSError) as e:
                say("down", why=str(e))
            await asyncio.sleep(self.away_s)
            self.away_s = 1.0

    async def talk(self) -> None:
        """Hello, then the heartbeat."""
        hello = {"role": "fo", "profiles": [PROFILE], "encodings": ["json"], "heartbeatS": self.o.heartbeat_s}
        answer = await self.ask("Hello", {**hello, "lastEventSeq": self.last_event})
        if answer["status"] != "ok":
            raise LinkLost(f"Hello: {answer}")
        say("up", heartbeatS=answer["data"]["heartbeatS"])
        for seq in range(1, 1_000_000):
            await asyncio.sleep(answer["data"]["heartbeatS"])
            await self.send("Heartbeat", {"at": now_text(), "seq": seq, "ackEventSeq": self.last_event})

    async def listen(self) -> None:
        while True:
            envelope, reply_to = await self.link.receive()
            if envelope["type"] == "Result":
                waiting = self.waiting.pop(envelope["correlationId"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(envelope["body"])
                continue
            if envelope["type"] not in STREAMS:
                await self.send("Result", {"status": "ok"}, envelope["messageId"], reply_to)
            self.note(envelope)

    def note(self, envelope: dict[str, Any]) -> None:
        """Tells a message once, whatever comes again after a loss."""
        seq = envelope.get("eventSeq")
        if envelope["type"] == "Heartbeat" or (seq is not None and seq <= self.last_event):
            return
        if seq is not None:
            if self.last_event > 0 and seq != self.last_event + 1:
                say("gap", expected=self.last_event + 1, eventSeq=seq)
            self.last_event = seq
        wrong = problem(envelope, self.keys()) if envelope["type"] in SIGNED else None
        signed = {"problem": wrong or "none"} if envelope["type"] in SIGNED else {}
        say("message", type=envelope["type"], eventSeq=seq, body=envelope["body"], **signed)

    def wrong_documents(self, data: dict[str, Any]) -> list[str]:
        """What is wrong with the signatures of documents that were asked for again."""
        keys = self.keys()
        found = [problem(document, keys) for document in [*data["records"], *data["proofs"]]]
        return [wrong for wrong in found if wrong is not None]

    def keys(self) -> dict[str, Any]:
        """The public keys as they are published now."""
        with urllib.request.urlopen(self.o.jwks, timeout=5) as answer:
            return dict(json.load(answer))

    async def send(self, type: str, body: Any, correlation: str | None = None, reply_to: Any = None) -> str:
        """Sends one envelope (fo 4.1) and says its id."""
        envelope = {
            "profile": PROFILE,
            "messageId": str(uuid.uuid4()),
            "type": type,
            "from": self.o.party,
            "to": self.o.to,
            "sentAt": now_text(),
            "body": body,
            **({} if correlation is None else {"correlationId": correlation}),
        }
        await self.link.send(envelope, reply_to)
        return str(envelope["messageId"])

    async def ask(self, type: str, body: Any) -> dict[str, Any]:
        """The body of the Result of a request."""
        message_id = await self.send(type, body)
        answer = self.waiting[message_id] = asyncio.get_running_loop().create_future()
        return await asyncio.wait_for(answer, 15)

    async def audit(self) -> None:
        """Reads the event log from its first entry on."""
        entries: list[dict[str, Any]] = []
        query: dict[str, Any] = {"fromLogSeq": 1}
        until = time.monotonic() + 30
        while time.monotonic() < until:
            data = (await self.ask("QueryEvents", query))["data"]
            entries += data["entries"]
            if "nextPage" not in data:
                say("chain", entries=len(entries), problem=chain_problem(entries, data["headHash"]) or "none")
                return
            query = {"fromLogSeq": 1, "page": data["nextPage"]}
        raise TimeoutError("the log has no end")

    def orders(self) -> dict[str, Any]:
        async def request(type: str, body: Any, id: str | None = None) -> None:
            answer = await self.ask(type, body)
            wrong = self.wrong_documents(answer["data"]) if type == "QueryRecords" else None
            say("result", id=id, type=type, problems=wrong, **answer)

        async def stream(type: str, body: Any) -> None:
            await self.send(type, body)

        async def drop(forS: float = 1.0) -> None:  # noqa: N803
            self.away_s = forS
            await self.link.drop()

        async def stop() -> None:
            await self.link.close()
            raise SystemExit

        return {"request": request, "stream": stream, "audit": self.audit, "drop": drop, "stop": stop}


def link_of(o: argparse.Namespace) -> Link:
    """WebSocket or MQTT, as the URL says; the token of the party comes from the environment."""
    token = os.environ.get("FO_TOKEN", "")
    if o.url.startswith("mqtt:"):
        return MqttLink(o.url, o.party, o.to, token, MQTT_VERSIONS[o.mqtt_version])
    return WebSocketLink(o.url, token)


async def main() -> None:
    """The whole program."""
    o = arguments()
    await Operator(o, link_of(o)).run()


if __name__ == "__main__":
    asyncio.run(main())

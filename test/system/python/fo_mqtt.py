"""The MQTT binding (fo 9.1) on the package `paho-mqtt`, for MQTT 3.1.1 and 5."""

import asyncio
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from fo_link import LinkLost
from profiles import now_text

CONTENT_TYPE = "application/vnd.v2gate.fo+json;v=1"
SESSION_EXPIRY_S = 3_600
WILL_DELAY_S = 10
UP = ("ctl", "tel", "link", "res/+", "rsp/+")


class MqttLink:
    """The callbacks of paho run in a thread of its own; what they bring goes through a queue."""

    def __init__(self, url: str, party: str, to: str, password: str, version: Any) -> None:
        self.host, self.port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 1883
        self.root = f"v2gfo/1/{party}/{to}"
        self.name = f"{party}/{to}"
        self.party, self.password = party, password
        self.version = version
        # With MQTT 3.1.1 correlation is by `correlationId` alone, and the token is 0.
        self.token = uuid.uuid4().hex[:12] if version == MQTTv5 else "0"
        self.queue: asyncio.Queue[tuple[dict[str, Any], Any] | None] = asyncio.Queue()
        self.client: Client | None = None

    async def open(self) -> None:
        self.queue = asyncio.Queue()
        loop = asyncio.get_running_loop()
        subscribed: asyncio.Future[None] = loop.create_future()
        # The session outlives connections; with MQTT 5 CONNECT says so.
        clean = None if self.version == MQTTv5 else False
        client = Client(CallbackAPIVersion.VERSION2, self.name, clean, protocol=self.version)
        client.username_pw_set(self.party, self.password)
        client.will_set(f"{self.root}/dn/link", self._state("lost"), 1, True, self._will())

        def refuse(why: str) -> None:
            if not subscribed.done():
                subscribed.set_exception(LinkLost(why))

        def accept() -> None:
            if not subscribed.done():
                subscribed.set_result(None)

        def connected(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
            if reason.is_failure:
                loop.call_soon_threadsafe(refuse, str(reason))
                return
            client.subscribe([(f"{self.root}/up/{topic}", 1) for topic in UP])

        def lost(_c: Any, _u: Any, _f: Any, _r: Any, _p: Any) -> None:
            loop.call_soon_threadsafe(self.queue.put_nowait, None)

        def heard(_c: Any, _u: Any, message: MQTTMessage) -> None:
            if message.payload and not message.topic.startswith((f"{self.root}/up/link", f"{self.root}/up/res/")):
                reply_to = getattr(message.properties, "ResponseTopic", None)
                loop.call_soon_threadsafe(self.queue.put_nowait, (json.loads(message.payload), reply_to))

        def done(_c: Any, _u: Any, _m: Any, _r: Any, _p: Any) -> None:
            loop.call_soon_threadsafe(accept)

        client.on_connect, client.on_disconnect, client.on_message = connected, lost, heard
        client.on_subscribe = done
        self.client = client
        await asyncio.to_thread(self._connect, client)
        client.loop_start()
        try:
            await asyncio.wait_for(subscribed, 10)
        except BaseException:
            client.loop_stop()
            raise
        client.publish(f"{self.root}/dn/link", self._state("up"), 1, True)

    async def send(self, envelope: dict[str, Any], reply_to: Any) -> None:
        if envelope["type"] == "Result":
            topic = reply_to or f"{self.root}/dn/rsp/0"
        else:
            topic = f"{self.root}/dn/{'fast' if envelope['type'] == 'UpdateSetpoint' else 'ctl'}"
        self._open().publish(topic, json.dumps(envelope), 1, properties=self._properties(envelope))

    async def receive(self) -> tuple[dict[str, Any], Any]:
        item = await self.queue.get()
        if item is None:
            raise LinkLost("the broker is gone")
        return item

    async def drop(self) -> None:
        client = self._open()
        client.loop_stop()
        socket = client.socket()
        if socket is not None:
            socket.close()
        self.queue.put_nowait(None)

    async def close(self) -> None:
        client = self._open()
        client.publish(f"{self.root}/dn/link", self._state("closed"), 1, True).wait_for_publish(5)
        client.disconnect()
        client.loop_stop()

    def _connect(self, client: Client) -> None:
        if self.version != MQTTv5:
            client.connect(self.host, self.port)
            return
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        client.connect(self.host, self.port, clean_start=False, properties=properties)

    def _properties(self, envelope: dict[str, Any]) -> Properties | None:
        if self.version != MQTTv5:
            return None
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = CONTENT_TYPE
        properties.PayloadFormatIndicator = 1
        properties.UserProperty = ("type", envelope["type"])
        properties.CorrelationData = uuid.UUID(envelope.get("correlationId", envelope["messageId"])).bytes
        if envelope["type"] not in ("Result", "Heartbeat"):
            properties.ResponseTopic = f"{self.root}/up/rsp/{self.token}"
        return properties

    def _will(self) -> Properties | None:
        if self.version != MQTTv5:
            return None
        properties = Properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = WILL_DELAY_S
        return properties

    def _state(self, state: str) -> str:
        return json.dumps({"state": state, "at": now_text()})

    def _open(self) -> Client:
        if self.client is None:
            raise LinkLost("not connected")
        return self.client

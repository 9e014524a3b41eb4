"""A bad line on demand, and one that counts: a TCP proxy on loopback, in a thread of its own.

    with Proxy(server.imaps, rtt_ms=100, bytes_per_s=1_250_000) as line:
        ... line.port ...
        line.up, line.down, line.turns, line.connections
        line.cut()              # every connection ends with a reset
        line.stall()            # nothing passes any more; resume()
        line.refuse()           # as cut(), and new connections are refused; accept()
    Proxy(port, cut_after=5000) # the same after so many bytes from the server; stall_after likewise

It passes TLS through unseen.  A turn is a client's first byte after bytes were delivered to it:
what the client had to wait for.  On a line without latency a server may answer between two writes
of a client that does not wait, so count turns with an rtt_ms of 30 or more.
"""

import asyncio
import contextlib
import socket
import struct
import threading
import time

from dovecot import free_port


class Connection:
    def __init__(self):
        self.up = self.down = self.turns = 0
        self.heard = True           # the client has been told something since it spoke last
        self.asked_at = []          # for each turn: how many bytes the client had been given
        self.record = bytearray()   # what the server said, if the proxy keeps a record
        self.writers = []
        self.started = time.monotonic()

    def __repr__(self):
        return f"<up={self.up} down={self.down} turns={self.turns}>"


class Proxy:
    def __init__(self, target, rtt_ms=0, bytes_per_s=0, cut_after=0, stall_after=0, port=0,
                 record=False):
        self.target, self.rtt, self.rate = target, rtt_ms / 1000, bytes_per_s
        self.record = record
        self.cut_after, self.stall_after = cut_after, stall_after
        self.port = port or free_port()
        self.connections = []
        self._flowing = None

    @property
    def up(self):
        return sum(c.up for c in self.connections)

    @property
    def down(self):
        return sum(c.down for c in self.connections)

    @property
    def turns(self):
        return sum(c.turns for c in self.connections)

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_):
        self._call(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def reset(self):
        """Forgets what was counted."""
        self.connections = [c for c in self.connections if c.writers]
        for connection in self.connections:
            connection.up = connection.down = connection.turns = 0

    def cut(self):
        self._call(self._cut())

    def stall(self):
        self._call(self._stall(True))

    def resume(self):
        self._call(self._stall(False))

    def refuse(self):
        self._call(self._refuse())

    def accept(self):
        self._call(self._listen())

    # ---- the loop's thread -----------------------------------------------------------------------

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    async def _listen(self):
        if self._flowing is None:
            self._flowing = asyncio.Event()
            self._flowing.set()
        self.server = await asyncio.start_server(self._client, "127.0.0.1", self.port)

    async def _refuse(self):
        self.server.close()
        await self._cut()

    async def _cut(self):
        for connection in self.connections:
            self._reset(connection)

    async def _stall(self, stalled):
        if stalled:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def _close(self):
        self.server.close()
        await self._cut()
        self._flowing.set()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    def _reset(connection):
        for writer in connection.writers:
            line = writer.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()
        connection.writers = []

    async def _client(self, reader, writer):
        connection = Connection()
        self.connections.append(connection)
        if self.rtt:
            await asyncio.sleep(self.rtt)       # the round trip of TCP's own handshake
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        connection.writers = [writer, server_writer]
        with contextlib.suppress(asyncio.CancelledError):       # _close(); asyncio would complain
            await asyncio.gather(
                self._pump(reader, server_writer, connection, "up"),
                self._pump(server_reader, writer, connection, "down"), return_exceptions=True)
        for end in (writer, server_writer):
            end.close()
        connection.writers = []

    async def _pump(self, reader, writer, connection, way):
        queue = asyncio.Queue(maxsize=256)
        sender = asyncio.create_task(self._send(queue, writer, connection, way))
        with contextlib.suppress(OSError):
            while True:
                data = await reader.read(1400 if self.rate else 65536)
                if not data:
                    break
                if way == "up":
                    if connection.heard:
                        connection.turns += 1
                        connection.asked_at.append(connection.down)
                    connection.heard = False
                await queue.put((time.monotonic() + self.rtt / 2, data))
        await queue.put((0, b""))
        await sender

    async def _send(self, queue, writer, connection, way):
        free = 0.0
        while True:
            due, data = await queue.get()
            if not data:
                with contextlib.suppress(OSError, RuntimeError):
                    writer.write_eof()
                return
            # By the line's own clock: a loop that wakes up late must not make the line slower.
            due = max(due, free)
            if self.rate:
                free = due + len(data) / self.rate
            now = time.monotonic()
            if due > now:
                await asyncio.sleep(due - now)
            await self._flowing.wait()
            if way == "down":
                for limit, stall in ((self.cut_after, False), (self.stall_after, True)):
                    if limit and connection.down + len(data) >= limit:
                        data = data[:limit - connection.down]
                        writer.write(data)
                        connection.down += len(data)
                        if stall:
                            await asyncio.sleep(3600)
                        await asyncio.sleep(0.05)       # or the reset overtakes the bytes
                        self._reset(connection)
                        return
                connection.heard = True
                if self.record:
                    connection.record += data
            with contextlib.suppress(OSError, RuntimeError):
                writer.write(data)
                setattr(connection, way, getattr(connection, way) + len(data))
                await writer.drain()


def main():
    """proxy.py TARGETPORT [--rtt MS] [--rate BYTES/S] [--port PORT]: runs until it is stopped."""
    import argparse
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("target", type=int)
    parser.add_argument("--rtt", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with Proxy(options.target, options.rtt, options.rate, port=options.port) as line:
        print(line.port, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
        print(line.connections)


if __name__ == "__main__":
    main()

"""The client of load tests against servers that write what they like, on real sockets."""

import asyncio
import contextlib
import datetime
import socket
import ssl

import pytest
from pydantic import SecretStr

from knowledge.errors import UserError
from tools.load.address import Address
from tools.load.http import MOST_BYTES, Client
from tools.load.target import RequestFailed

OK = b"HTTP/1.1 200 OK\r\nX-Queue-Time: 2\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nX-After: 1\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
CLOSE = object()


class Script:
    """A server that answers each request with what is next: bytes, seconds to wait, CLOSE, or a list of them.

    Attributes:
        requests: head and body of each.
        connections: how many were opened.
        open: how many still are.
    """

    def __init__(self, *answers, apart=False):
        self._answers, self._apart = iter(answers), apart
        self.requests, self.connections, self.open = [], 0, 0

    @contextlib.asynccontextmanager
    async def served(self, host="127.0.0.1", tls=None, scheme="http"):
        server = await asyncio.start_server(self._talk, host, 0, ssl=tls)
        named = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{named}:{server.sockets[0].getsockname()[1]}"
        client = Client(Address.read(self.url), SecretStr(" secret\n"))
        try:
            async with asyncio.timeout(10):
                yield client
        finally:
            await client.close()
            await self.until(0)
            server.close()
            await server.wait_closed()

    async def until(self, count):
        """Wait until so many connections are open."""
        async with asyncio.timeout(5):
            while self.open != count:
                await asyncio.sleep(0.001)

    async def _talk(self, reader, writer):
        self.connections += 1
        self.open += 1
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.open -= 1

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        answers = next(self._answers, OK)
        for answer in answers if isinstance(answers, list) else [answers]:
            if answer is CLOSE:
                return False
            if isinstance(answer, float):
                await asyncio.sleep(answer)
                continue
            for part in [bytes([byte]) for byte in answer] if self._apart else [answer]:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
        return True


def play(script, times=1, **served):
    """What the client gets; failures by their kind."""

    async def asked():
        found = []
        async with script.served(**served) as client:
            for _ in range(times):
                try:
                    reply = await client.ask("POST", "/embed", b'{"a": 1}')
                    found.append((reply.status, reply.content))
                except RequestFailed as error:
                    found.append(error.kind)
        return found

    return asyncio.run(asked())


@pytest.mark.parametrize("apart", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (OK, True),
        (CHUNKED, True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, True),
        (CLOSED, False),
        ([b"HTTP/1.1 200 OK\r\n\r\nok", CLOSE], False),
        ([b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nok", CLOSE], False),
    ],
    ids=["length", "chunked", "continue", "close", "until close", "1.0"],
)
def test_every_way_to_end_an_answer_is_understood(answer, kept, apart):
    script = Script(answer, answer, apart=apart)
    assert play(script, times=2) == [(200, b"ok")] * 2
    assert script.connections == (1 if kept else 2)


def test_what_is_sent():
    script = Script()
    play(script)
    head, _, body = script.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /embed HTTP/1.1"
    assert set(lines[1:]) == {
        f"Host: {script.url.removeprefix('http://')}",
        "Authorization: Bearer secret",  # without the line break that a file may have left at its end
        "Content-Type: application/json",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "Content-Length: 8",
    }
    assert body == b'{"a": 1}'


def test_headers_are_found_by_their_name_in_lower_case():
    async def asked():
        async with Script().served() as client:
            return (await client.ask("GET", "/")).headers

    assert asyncio.run(asked())["x-queue-time"] == "2"


# ---------------------------------------------------------------- connections


def test_there_are_as_many_connections_as_requests_on_their_way():
    async def asked():
        script = Script()
        async with script.served() as client:
            for _ in range(3):
                replies = await asyncio.gather(*(client.ask("POST", "/", b"x") for _ in range(20)))
                assert {reply.content for reply in replies} == {b"ok"}
            return script.connections

    assert asyncio.run(asked()) == 20


def test_a_kept_connection_that_the_server_closed_is_replaced():
    async def asked():
        script = Script([OK, CLOSE])
        async with script.served() as client:
            await client.ask("GET", "/")
            await script.until(0)
            await asyncio.sleep(0.01)
            await client.ask("GET", "/")
        return script.connections, len(script.requests)

    assert asyncio.run(asked()) == (2, 2)


def test_what_a_kept_connection_took_with_it_is_sent_again_once():
    script = Script(OK, CLOSE, OK)
    assert play(script, times=2) == [(200, b"ok")] * 2
    assert len(script.requests) == 3
    script = Script(OK, CLOSE, CLOSE, OK)
    assert play(script, times=2) == [(200, b"ok"), "connection lost"]
    assert len(script.requests) == 3


def test_not_every_kept_connection_is_tried():
    async def asked():
        script = Script(OK, OK, OK, CLOSE, CLOSE)
        async with script.served() as client:
            await asyncio.gather(*(client.ask("GET", "/") for _ in range(3)))
            with pytest.raises(RequestFailed, match="the server closed the connection"):
                await client.ask("GET", "/")
        return len(script.requests)

    assert asyncio.run(asked()) == 5


def test_nothing_is_sent_again_after_a_byte_of_the_answer_or_over_a_new_connection():
    script = Script(OK, [OK[:30], CLOSE])
    assert play(script, times=2) == [(200, b"ok"), "connection lost"]
    assert len(script.requests) == 2
    script = Script(CLOSE)
    assert play(script) == ["connection lost"]
    assert len(script.requests) == 1


def test_a_server_that_hangs_up_on_everybody():
    async def asked():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        client = Client(Address.read(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        async with asyncio.timeout(10), server:
            found = await asyncio.gather(*(client.ask("GET", "/") for _ in range(50)), return_exceptions=True)
        await client.close()
        return {error.kind for error in found}

    assert asyncio.run(asked()) == {"connection lost"}


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\r\n\r\n5\r\nab"])
def test_half_a_chunked_answer_is_none(end):
    assert play(Script([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + end, CLOSE])) == ["connection lost"]


def test_a_request_that_is_given_up_closes_its_connection():
    async def asked():
        script = Script(OK, [], OK)
        async with script.served() as client:
            await client.ask("GET", "/")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await client.ask("GET", "/")
            await script.until(0)
            assert (await client.ask("GET", "/")).content == b"ok"
        return script.connections

    assert asyncio.run(asked()) == 2


# ---------------------------------------------------------------- servers that mean ill


def test_a_second_answer_is_never_taken_for_the_next_ones():
    other = OK.replace(b"ok", b"no")
    script = Script(OK + other, OK)
    assert play(script, times=2) == [(200, b"ok")] * 2
    assert script.connections == 2

    async def asked():
        script = Script([OK, 0.02, other])
        async with script.served() as client:
            await client.ask("GET", "/")
            await script.until(0)  # the other came while nobody asked
            return (await client.ask("GET", "/")).content, script.connections

    assert asyncio.run(asked()) == (b"ok", 2)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\xff" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nlong\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI",
    ],
)
def test_what_is_not_http_is_called_so(answer):
    assert play(Script(answer, OK), times=2) == ["not HTTP", (200, b"ok")]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"1" * MOST_BYTES,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1000\r\n" + b"1" * 4096 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"1" * MOST_BYTES,
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"1" * MOST_BYTES,
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["length", "chunks", "until close", "header", "continue"],
)
def test_an_answer_without_end_is_cut_off(answer):
    tail = answer[answer.index(b"1000\r\n") :] if b"1000\r\n" in answer else answer
    endless = [answer, tail * (1 + MOST_BYTES // len(tail))]
    script = Script(endless, OK)
    assert play(script, times=2) == ["answer too long", (200, b"ok")]
    assert script.connections == 2


@pytest.mark.parametrize(
    ("url", "path", "authority"),
    [
        ("http://host/a b\r\nX: y/", "/a%20bX:%20y", "host"),  # urlsplit itself drops the line break
        ("http://host/\x0b\x00é%20", "/%0B%00%C3%A9%20", "host"),
        ("http://Bücher.example:8080", "", "xn--bcher-kva.example:8080"),
        ("https://[::1]:443/v1", "/v1", "[::1]"),
        ("http://[::1]:8080/v1", "/v1", "[::1]:8080"),
    ],
)
def test_an_address_cannot_break_out_of_its_line(url, path, authority):
    address = Address.read(url)
    assert (address.path, address.authority) == (path, authority)


@pytest.mark.parametrize("host", ["a b", "a\x0bb", "a\x7fb", "a..b", "a" * 64])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(UserError, match="not the address"):
        Address.read(f"http://{host}/")


@pytest.mark.parametrize("key", ["two\r\nX: y", "two\nlines", "nul\x00", "schlüssel"])
def test_a_key_cannot_break_out_of_its_line(key):
    with pytest.raises(UserError, match="ADVISOR_ENDPOINT_API_KEY") as refused:
        Client(Address.read("http://localhost"), SecretStr(key))
    assert key not in str(refused.value)


# ---------------------------------------------------------------- TLS and IPv6


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody vouches for, and its key, in one file."""
    pytest.importorskip("cryptography", reason="cryptography makes the certificate")
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return path


def with_tls(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(certificate):
    script = Script()
    assert play(script, tls=with_tls(certificate), scheme="https") == ["TLS"]
    assert not script.requests


def test_tls_with_a_certificate_that_is_trusted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    script = Script(OK, CHUNKED, CLOSED, OK)
    assert play(script, times=4, tls=with_tls(certificate), scheme="https") == [(200, b"ok")] * 4
    assert script.connections == 2


def test_a_server_that_does_not_speak_tls_is_told_apart():
    async def plain(reader, writer):
        writer.write(OK)
        await reader.read()
        writer.close()

    async def asked():
        server = await asyncio.start_server(plain, "127.0.0.1", 0)
        client = Client(Address.read(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        try:
            with pytest.raises(RequestFailed) as failed:
                await client.ask("GET", "/")
        finally:
            server.close()
            await asyncio.sleep(0.01)
        return failed.value.kind

    assert asyncio.run(asked()) == "TLS"


def test_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    script = Script()
    assert play(script, host="::1") == [(200, b"ok")]
    assert f"Host: {script.url.removeprefix('http://')}\r\n".encode() in script.requests[0]


def test_a_name_that_there_is_not_is_no_connection():
    async def asked():
        with pytest.raises(RequestFailed) as failed:
            await Client(Address.read("http://name.invalid")).ask("GET", "/")
        return failed.value.kind

    assert asyncio.run(asked()) == "no connection"

"""Embedding servers on loopback: each speaks one real protocol, the way the server of that name does."""

import json

from tests.fake_http import Answer, Server, as_json

VECTOR = [0.1, 0.2, 0.3, 0.4]
#: protocol -> where it embeds, where it tells what it serves, and that
ROUTES = {
    "openai": ("/v1/embeddings", "/v1/models", {"object": "list", "data": [{"id": "tiny", "object": "model"}]}),
    "infinity": ("/embeddings", "/models", {"object": "list", "data": [{"id": "tiny", "object": "model"}]}),
    "tei": ("/embed", "/info", {"model_id": "tiny", "max_input_length": 512}),
    "ollama": ("/api/embed", "/api/tags", {"models": [{"name": "tiny", "size": 1}]}),
}


class FakeEmbedder(Server):
    """Speaks one protocol and nothing else; keeps connections, as the real ones do.

    Attributes:
        bodies: what it was asked to embed.
        keys: the Authorization headers it was sent.
        instead: answers given, one each, before the real ones.
    """

    def __init__(self, protocol: str) -> None:
        super().__init__()
        handler = self._http.RequestHandlerClass
        handler.protocol_version = "HTTP/1.1"
        handler.disable_nagle_algorithm = True
        handler.wbufsize = -1
        self.protocol = protocol
        self.bodies: list[dict[str, object]] = []
        self.keys: list[str | None] = []
        self.instead: list[Answer] = []
        self.served = ROUTES[protocol][2]
        answer = handler._answer

        def noting_the_key(handled) -> None:
            self.keys.append(handled.headers.get("Authorization"))
            answer(handled)

        handler.do_GET = handler.do_POST = noting_the_key

    @property
    def asked(self) -> list[str]:
        """Paths in the order they were asked for."""
        return [path for _, path in self.requests]

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        embed, names, _ = ROUTES[self.protocol]
        if (method, path) == ("GET", names):
            return as_json(self.served)
        if (method, path) != ("POST", embed):
            return as_json({"error": "not found"}, 404)
        self.bodies.append(json.loads(body))
        if self.instead:
            return self.instead.pop(0)
        return getattr(self, f"_{self.protocol}")(self.bodies[-1])

    def _openai(self, asked: dict[str, object]) -> Answer:
        if not isinstance(asked.get("input"), str) or asked.get("model") != "tiny":
            return as_json({"error": {"message": f"no such model: {asked.get('model')}"}}, 404)
        data = [{"object": "embedding", "index": 0, "embedding": VECTOR}]
        return as_json({"object": "list", "model": "tiny", "data": data, "usage": {"total_tokens": 3}})

    _infinity = _openai

    def _tei(self, asked: dict[str, object]) -> Answer:
        if not isinstance(asked.get("inputs"), str):
            return as_json({"error": "`inputs` is missing", "error_type": "Validation"}, 422)
        took = {"x-tokenization-time": "1", "x-queue-time": "2", "x-inference-time": "5", "x-total-time": "8"}
        return as_json([VECTOR], 200, **took)

    def _ollama(self, asked: dict[str, object]) -> Answer:
        if not isinstance(asked.get("input"), str) or asked.get("model") != "tiny":
            return as_json({"error": f'model "{asked.get("model")}" not found, try pulling it first'}, 404)
        return as_json({"model": "tiny", "embeddings": [VECTOR], "total_duration": 1_400_000, "prompt_eval_count": 3})

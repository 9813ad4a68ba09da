"""One chat model through LangChain, asked for a structured answer: bounded in time and attempts, errors in plain words.

The provider's client waits and tries again on 429, 5xx and lost connections, as long as Retry-After says; all of it
has to fit into `timeout_s`. What a provider writes into an error never reaches the user: it may hold the key, or words
that somebody else chose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from agent.understanding.llm_schema import Extraction, schema
from knowledge.errors import AdvisorError, MissingExtraError, ProviderError
from knowledge.wording import Text, how_to, say
from tools.stopping import unless_stopped

#: how often a model may answer with something else than was asked for
ATTEMPTS = 2
#: how often the client tries again after 429, 5xx or a lost connection
RETRIES = 2
#: after a failure nobody waits for the model again for so long, in seconds
REST = 60.0
#: the extras that bring a provider's client
EXTRAS = {"openai": "llm", "anthropic": "anthropic"}
#: characters a token has at most, on average over an answer
MOST_CHARACTERS = 8
#: where the providers' clients say how an answer ended, and what they call a whole one
_ENDINGS = ("finish_reason", "stop_reason", "done_reason")
_WHOLE = frozenset({"stop", "tool_calls", "function_call", "end_turn", "tool_use", "stop_sequence"})
_DOCTOR = how_to("doctor")
T = TypeVar("T")


@dataclass(frozen=True)
class Endpoint:
    """Which model, and where.

    Attributes:
        provider: LangChain's name for it.
        base_url: None: the provider's own.
    """

    provider: str
    model: str
    base_url: str | None = field(default=None, repr=False)  # an address may hold a password
    api_key: SecretStr | None = None

    @property
    def host(self) -> str:
        """Who receives what the user writes."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2] if self.base_url else self.provider


class UnusableAnswerError(ProviderError):
    """The model is there, and what it answered this time is of no use."""


class LanguageModel:
    """A chat model; its client is made when it is first asked.

    Args:
        timeout_s: for one message, all attempts together.
        max_tokens: the longest answer.
        clock: seconds, for the pause after a failure.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_s: float,
        max_tokens: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self._timeout_s, self._max_tokens, self._clock = timeout_s, max_tokens, clock
        self._method: Literal["json_schema", "function_calling"] = (
            "function_calling" if endpoint.provider == "anthropic" else "json_schema"
        )
        self._client: Any = None
        self._failed: tuple[float, AdvisorError] | None = None

    def extract(self, system: str, data: str) -> Extraction:
        """Ask for the findings in a message.

        Raises:
            ProviderError: no usable answer came in time; for a while after one, without asking again.
            MissingExtraError: the provider's client is not installed.
        """
        return self._guarded(self._timeout_s, lambda: self._extract(system, data))

    def turn(self, messages: list[Any], tools: Sequence[dict[str, Any]], *, seconds: float) -> Any:
        """One turn of a conversation with tools: an ``AIMessage``, which may call some of them.

        It is streamed, so that an answer without an end is left after so many characters as `max_tokens` could have.

        Raises:
            ProviderError: no whole answer came in time; for a while after one, without asking again.
            MissingExtraError: the provider's client is not installed.
        """
        return self._guarded(min(seconds, self._timeout_s), lambda: self._turn(messages, tools, seconds))

    def write(self, prompt: str) -> str:
        """What it answers to a prompt, as plain text.

        Raises:
            ProviderError: no whole answer came in time; for a while after one, without asking again.
            MissingExtraError: the provider's client is not installed.
        """
        return str(self.turn([("human", prompt)], (), seconds=self._timeout_s).text)

    @property
    def timeout_s(self) -> float:
        """Seconds that one message waits for it, all attempts together."""
        return self._timeout_s

    def _guarded(self, seconds: float, ask: Callable[[], T]) -> T:
        if self._failed and self._clock() - self._failed[0] < REST:
            raise self._failed[1].with_traceback(None)
        try:
            # a client counts from one received byte to the next: a server that drips would hold us for ever
            found = unless_stopped(ask, seconds=seconds)
        except UnusableAnswerError:
            raise
        except AdvisorError as error:
            self._failed = (self._clock(), error)
            raise
        except TimeoutError as error:
            late = self._unusable(say("it did not answer within {seconds:g} s", seconds=self._timeout_s))
            self._failed = (self._clock(), late)
            raise late from error
        self._failed = None
        return found

    def _turn(self, messages: list[Any], tools: Sequence[dict[str, Any]], seconds: float) -> Any:
        client = self._client = self._client or self._connect()
        until, longest = time.monotonic() + seconds, MOST_CHARACTERS * self._max_tokens
        whole: Any = None
        characters = 0
        try:
            for part in (client.bind_tools(tools) if tools else client).stream(messages):
                whole = part if whole is None else whole + part
                characters += len(part.text) + sum(len(c.get("args") or "") for c in part.tool_call_chunks)
                if characters > longest or time.monotonic() > until:
                    break
        except Exception as error:  # as above
            raise self._failure(error) from error
        ending = getattr(whole, "response_metadata", {})
        if not any(str(ending.get(name)).lower() in _WHOLE for name in _ENDINGS):
            raise self._no_use(say("its answer has no end"))
        return whole

    def _extract(self, system: str, data: str) -> Extraction:
        messages: list[Any] = [("system", system), ("human", data)]
        for _ in range(ATTEMPTS):
            raw = self._ask(messages)
            answer = raw["raw"]
            if getattr(answer, "additional_kwargs", {}).get("refusal"):
                raise self._no_use(say("it refused to answer"))
            try:
                return Extraction.model_validate(raw["parsed"])
            except ValidationError as error:
                problem = error.errors(include_url=False, include_input=False)[0]["msg"]
            messages = [*messages[:2], ("human", f"That was not what the schema asks for: {problem}. Answer again.")]
        raise self._no_use(say("its answers did not have the form that was asked for"))

    def _ask(self, messages: list[Any]) -> dict[str, Any]:
        client = self._client = self._client or self._connect()
        try:
            return self._invoke(client, messages)
        except Exception as error:  # whatever a provider's client raises, the rules must go on
            if getattr(error, "status_code", None) != 400 or self._method == "function_calling":
                raise self._failure(error) from error
        self._method = "function_calling"  # an endpoint that knows no JSON schema may know tools
        try:
            return self._invoke(client, messages)
        except Exception as error:
            raise self._failure(error) from error

    def _invoke(self, client: Any, messages: list[Any]) -> dict[str, Any]:
        strict = {"strict": True} if self.endpoint.provider == "openai" else {}
        structured = client.with_structured_output(schema(), method=self._method, include_raw=True, **strict)
        answer: dict[str, Any] = structured.invoke(messages)
        return answer

    def _connect(self) -> Any:
        end = self.endpoint
        try:
            from langchain.chat_models import init_chat_model

            options: dict[str, Any] = {"timeout": self._timeout_s, "max_retries": RETRIES}
            if end.base_url:
                options["base_url"] = end.base_url
            # said even where there is none, or a client looks for one that is meant for somebody else
            if end.api_key or end.base_url or end.provider in EXTRAS:
                options["api_key"] = end.api_key or SecretStr("none")
            return init_chat_model(end.model, model_provider=end.provider, max_tokens=self._max_tokens, **options)
        except ImportError as error:
            extra = (
                f"embedding-advisor[{EXTRAS[end.provider]}]" if end.provider in EXTRAS else f"langchain-{end.provider}"
            )
            raise MissingExtraError(
                say("The client for {provider} models is not installed.", provider=end.provider),
                say("Install it with: pip install '{extra}'.", extra=extra),
            ) from error
        except ValueError as error:
            raise ProviderError(
                say("LangChain cannot set up the model {model} of {provider}.", model=end.model, provider=end.provider),
                say("Check ADVISOR_LLM and the provider's key."),
            ) from error

    def _failure(self, error: Exception) -> ProviderError:
        status = getattr(error, "status_code", None)
        if status in (401, 403):
            return self._unusable(say("it refuses the key"), say("Check the key for it."))
        if status == 404:
            return self._unusable(say("it knows no such model"), say("Check the model's name in ADVISOR_LLM."))
        if status == 429:
            return self._unusable(say("it takes no more requests for now"))
        if isinstance(status, int):
            return self._unusable(say("it answered with HTTP {status}", status=status))
        if "Timeout" in type(error).__name__:
            return self._unusable(say("it did not answer within {seconds:g} s", seconds=self._timeout_s))
        if "Connection" in type(error).__name__:
            return self._unusable(say("the connection to it failed"))
        if "Refusal" in type(error).__name__ or "ContentFilter" in type(error).__name__:
            return self._no_use(say("it refused to answer"))
        return self._no_use(say("its answer could not be read ({kind})", kind=type(error).__name__))

    def _unusable(self, why: Text, next_step: Text | None = None) -> ProviderError:
        return ProviderError(self._cause(why), next_step or _DOCTOR)

    def _no_use(self, why: Text) -> UnusableAnswerError:
        return UnusableAnswerError(self._cause(why), _DOCTOR)

    def _cause(self, why: Text) -> Text:
        end = self.endpoint
        return say("The language model {model} ({host}) was no help: {why}.", model=end.model, host=end.host, why=why)

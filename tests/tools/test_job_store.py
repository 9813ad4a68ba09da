"""Jobs and keys in the run store: taken once, ended once, and nobody's but their owner's."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.job_store import JobStore, MadeAlreadyError, Once
from tools.key_store import DEFAULT_SCOPES, KeyStore


@pytest.fixture
def store(tmp_path):
    opened = JobStore(tmp_path / "runs.sqlite")
    yield opened
    opened.close()


def add(store, name="job-1", owner="ann", **more):
    store.add_job(name, owner, "evaluation", name, {"candidates": ["bm25"]}, **more)


def test_a_job_ends_once_and_its_events_are_numbered(store):
    add(store)
    assert store.begin("job-1")
    store.note("job-1", "progressed", {"done": 1})
    store.note("job-1", "said", {"text": "half"})
    assert store.finish("job-1", "succeeded", result={"run_id": "r"})
    assert not store.finish("job-1", "failed", problem={"cause": "late"})
    assert not store.begin("job-1")
    assert not store.cancel("job-1")
    job = store.job("job-1")
    assert (job.state, job.result, job.problem) == ("succeeded", {"run_id": "r"}, None)
    # progress is news only while it lasts; numbers are not given twice
    assert [(e.number, e.kind) for e in store.events("job-1")] == [
        (1, "queued"),
        (2, "running"),
        (4, "said"),
        (5, "succeeded"),
    ]
    assert [e.number for e in store.events("job-1", after=2)] == [4, 5]


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_told(store):
    add(store, "waiting")
    add(store, "running")
    store.begin("running")
    assert store.cancel("waiting")
    assert store.job("waiting").state == "cancelled"
    assert store.cancel("running")
    assert store.job("running").state == "running"
    assert store.is_cancelling("running")
    assert store.open_jobs() == [("running", "running")]


def test_of_many_who_finish_a_job_one_does(store):
    add(store)
    store.begin("job-1")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: store.finish("job-1", "succeeded", result={"by": i}), range(16)))
    assert done.count(True) == 1
    assert store.job("job-1").result == {"by": done.index(True)}


def test_a_request_of_one_key_is_taken_once(store):
    once = Once("k", "fingerprint")

    def take(i: int) -> bool:
        try:
            add(store, f"job-{i}", once=once)
        except MadeAlreadyError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take, range(16)))
    assert taken.count(True) == 1
    made = store.made("ann", "k")
    assert (made.fingerprint, made.kind, made.id) == ("fingerprint", "job", f"job-{taken.index(True)}")
    assert len(store.jobs("ann", 100)) == 1  # of the others nothing is left
    assert store.made("bob", "k") is None


def test_things_are_found_by_their_owner_only(store):
    assert store.keep("thread", "t", "ann", {"note": "x"})
    assert not store.keep("thread", "t", "bob")
    assert store.thing("thread", "t", "bob") is None
    thing = store.thing("thread", "t", "ann")
    assert store.change(thing, {"note": "y"})
    assert store.thing("thread", "t", "ann").content == {"note": "y"}
    assert (store.remove(thing), store.remove(thing)) == (True, False)
    once = Once("k", "f")
    store.keep("dataset", "d", "ann", once=once)
    store.remove(store.thing("dataset", "d", "ann"))
    assert store.made("ann", "k") is None  # what is gone is not found by its request either


def test_lists_go_on_where_the_page_before_ended(store):
    for i in range(5):
        add(store, f"job-{i}")
    first = store.jobs("ann", 2)
    assert [job.id for job in first] == ["job-4", "job-3"]
    assert [job.id for job in store.jobs("ann", 9, first[-1].number)] == ["job-2", "job-1", "job-0"]


def test_the_end_of_a_job_is_owed_until_it_is_told_or_given_up(store):
    add(store, "told", hook={"url": "https://x.example", "secret": "s"})
    add(store, "silent")
    for name in ("told", "silent"):
        store.begin(name)
        store.finish(name, "succeeded")
    now = time.time() + 1
    assert [job.id for job in store.owed(now)] == ["told"]
    store.tried("told", due=now + 60, outcome="500")
    assert store.owed(now) == []
    assert [(job.id, job.hook_tries) for job in store.owed(now + 61)] == [("told", 1)]
    store.tried("told", due=None, outcome="200")
    assert store.owed(now + 10**6) == []


def test_a_key_is_known_by_its_hash_only(tmp_path):
    keys = KeyStore(tmp_path / "runs.sqlite")
    assert not keys.any_valid()
    made, secret = keys.add("ann")
    assert keys.who(secret) == made
    assert (made.name, made.scopes) == ("ann", DEFAULT_SCOPES)
    for wrong in (
        "",
        secret[:-1],
        secret + "x",
        secret.upper(),
        secret.replace("adv_", "xxx_"),
        "adv__",
        "ключ_\ud800_",
    ):
        assert keys.who(wrong) is None, wrong
    assert secret.rpartition("_")[2].encode() not in b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert [key.id for key in keys.revoke("ann")] == [made.id]
    assert keys.who(secret) is None
    assert keys.revoke("ann") == []
    assert not keys.any_valid()
    assert keys.keys()[0].revoked is not None
    keys.close()

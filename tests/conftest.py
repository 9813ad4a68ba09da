"""For all tests: a home of their own, no key, no hub."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

#: take long, and have quicker relatives that run always; `make thorough` runs these too
THOROUGH = frozenset(
    {
        "test_a_bar_on_a_terminal_colours_only_where_they_are_wanted",
        "test_a_faster_precision_stands_in_only_after_a_look_at_it",
        "test_a_second_process_on_the_same_thread_waits",
        "test_an_endpoint_is_asked_where_its_host_and_price_were_agreed_to",
        "test_build_from_the_tables_gives_the_shipped_catalog_byte_for_byte",
        "test_each_candidate_is_timed_in_a_child",
        "test_each_variant_is_measured_in_a_child_and_nothing_is_encoded_twice",
        "test_everything_is_measured",
        "test_fine_tuning_runs_and_says_what_it_is_worth",
        "test_in_a_child_and_what_it_encodes_is_not_encoded_again",
        "test_in_chinese_with_the_file_that_is_offered_to_try",
        "test_killed_at_any_point_the_old_copy_or_the_new_one_is_there",
        "test_killed_at_random_moments_it_finds_the_same",
        "test_killed_it_goes_on_to_the_same_answer_and_pays_nothing_twice",
        "test_killed_while_exporting_nothing_is_taken_for_an_export",
        "test_killed_while_it_times_the_candidates",
        "test_losers_are_left_out_and_the_report_says_on_what_evidence",
        "test_many_conversations_at_once",
        "test_models_of_sentence_transformers_find_what_was_measured",
        "test_nothing_but_the_protocol_goes_to_standard_output",
        "test_on_the_edge_the_error_stays_under_its_level",
        "test_preflight_looks_at_what_is_read_and_not_at_vectors",
        "test_programs_make_the_vectors_that_were_measured",
        "test_programs_of_combinations_find_what_the_candidates_find",
        "test_single_changes_to_the_winner_decide_nothing",
        "test_the_real_model_raises_no_alarm_and_shows_its_limits",
        "test_time_that_is_up_keeps_what_was_encoded",
        "test_two_at_once_find_the_same_and_encode_once",
        "test_two_at_once_make_it_once",
        "test_what_a_handle_names_survives_the_server",
        "test_what_is_cut_off_is_told_and_recall_split",
    }
)
SHARED = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items):
    for item in items:
        if getattr(item, "originalname", item.name) in THOROUGH and "THOROUGH" not in os.environ:
            item.add_marker(pytest.mark.skip(reason="takes long: make thorough"))


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """Nobody's settings leak in, nothing leaks out, and no test asks a model hub."""
    for name in (
        "ADVISOR_CONFIG",
        "MILVUS_URI",
        "MILVUS_TOKEN",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "HF_ENDPOINT",
        "TIKTOKEN_CACHE_DIR",
        "ADVISOR_CATALOG_RESULTS_URL",
        "HF_TOKEN",
        "ADVISOR_LANGUAGE",
        "ADVISOR_CHILD_MEMORY_MB",
        "ADVISOR_CHILD_MINUTES",
        "ADVISOR_PASSWORD",
        "ADVISOR_ENDPOINT_API_KEY",
        "ADVISOR_WEBHOOK_SECRET",
        "ADVISOR_LLM",
        "ADVISOR_LLM_BASE_URL",
        "ADVISOR_LLM_API_KEY",
        "ADVISOR_LLM_TIMEOUT_S",
        "ADVISOR_LLM_MAX_TOKENS",
        "ADVISOR_LLM_ANSWERS",
        "ADVISOR_LLM_ANSWER_TOKENS",
        "ANTHROPIC_API_KEY",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "ADVISOR_SLACK_API_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ADVISOR_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # where a configuration file would be read from
    monkeypatch.setenv("ADVISOR_OFFLINE", "1")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")  # nobody listens there


@pytest.fixture
def shared() -> Path:
    """The real data sets; they do not travel with the repository."""
    if not SHARED.is_dir():
        pytest.skip("the real data sets (../shared/data) are not here")
    return SHARED


#: subject -> what a document says of it, and what somebody asks
SUBJECTS = {
    "bread": ("Sourdough rises slowly because wild yeast ferments the flour overnight.", "why does sourdough rise"),
    "tides": ("The moon's gravity pulls the oceans and makes high and low water.", "what makes high and low water"),
    "glass": ("Molten sand cools into a transparent solid without crystals.", "how does sand become transparent"),
    "bees": ("Worker insects dance to tell the hive where flowers are.", "how do insects tell the hive about flowers"),
    "rust": ("Iron corrodes when oxygen and water meet at its surface.", "when does iron corrode"),
    "jazz": ("Musicians improvise over swinging chords and a walking bass.", "music improvised over chords"),
    "chess": ("A pawn that reaches the last rank is promoted to a queen.", "what happens to a pawn on the last rank"),
    "snow": ("Ice crystals grow six arms as vapour freezes in cold clouds.", "how many arms do ice crystals grow"),
    "silk": ("Caterpillars spin cocoons whose threads are unwound and woven.", "threads unwound from cocoons"),
    "salt": ("Sea water evaporates in shallow ponds and leaves white crystals.", "what evaporates in shallow ponds"),
}


@pytest.fixture
def small_dataset(tmp_path) -> Path:
    """Ten documents, ten queries, ten judgments, in the BEIR layout."""
    folder = tmp_path / "small"
    folder.mkdir()
    corpus = [json.dumps({"_id": name, "title": "", "text": text}) for name, (text, _) in SUBJECTS.items()]
    queries = [json.dumps({"_id": f"q-{name}", "text": query}) for name, (_, query) in SUBJECTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(corpus) + "\n", "utf-8")
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n", "utf-8")
    qrels = ["query-id\tcorpus-id\tscore", *(f"q-{name}\t{name}\t1" for name in SUBJECTS)]
    (folder / "qrels.tsv").write_text("\n".join(qrels) + "\n", "utf-8")
    return folder

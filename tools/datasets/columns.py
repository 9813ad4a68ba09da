"""Which column plays which role, guessed from its name unless the user says.

Roles, as in ``columns={"text": "body"}``:

======================= ====================================================================
``id title text``       a document; title and text are joined by one space
``query query_id``      a query, in a table of its own or beside its document
``relevant``            ids of the right documents, in the table of queries
``grade``               how relevant a document is: 0 is judged and not relevant
``judged_query``        the query's id in the table of judgments
``judged_document``     the document's id in the table of judgments
``label``               the class of a text, beside it
``text1 text2``         the two texts of a pair
``score``               how alike they are, or whether they are the same (0 or 1)
``split``               whether a labelled text or pair is for training or for testing
``source``              where a document or query comes from, or what it is about: for parts of the queries
======================= ====================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from knowledge.errors import DatasetError
from knowledge.wording import say
from tools.datasets.problems import shown

ROLES = (
    "id",
    "title",
    "text",
    "query",
    "query_id",
    "relevant",
    "grade",
    "judged_query",
    "judged_document",
    "label",
    "text1",
    "text2",
    "score",
    "split",
    "source",
)

_DOCUMENT_ID = "doc_id docid document_id documentid corpus_id passage_id pid 文档id 编号"
_TEXT = "text body content contents document passage doc article context chunk abstract description 正文 内容 文本 文档"
_QUERY = "query question queries search_query anchor utterance 查询 问题 提问"
_QUERY_ID = "query_id queryid qid question_id 查询id"
_GRADE = "grade score relevance relevance_score rel label gain 相关性 分数"
_LABEL = (
    "label class category intent labels target topic sentiment label_text label_name class_name tag 标签 类别 分类 类目"
    " 意图 主题 情感"
)
_SPLIT = "split partition 划分 数据集划分"
_SCORE = (
    "score similarity similarity_score relatedness relatedness_score label is_duplicate duplicate is_paraphrase match"
    " gold gold_score 相似度 分数 得分 标签 是否重复 是否相同"
)
#: names of the two columns of a pair; what stands for N is 1 and 2
_SIDES = "textN sentenceN sentN sN questionN qN documentN docN passageN titleN 文本N 句子N 问题N"
_OTHER_SIDES = (
    ("text_a", "text_b"),
    ("sentence_a", "sentence_b"),
    ("sentence_1", "sentence_2"),
    ("text_1", "text_2"),
    ("question_1", "question_2"),
    ("source", "target"),
    ("src", "tgt"),
    ("source_text", "target_text"),
    ("original", "translation"),
    ("原文", "译文"),
)
_SIDE_BY_SIDE = (*((side.replace("N", "1"), side.replace("N", "2")) for side in _SIDES.split()), *_OTHER_SIDES)
_SOURCE = (
    "source source_type doc_type document_type category folder collection section product_line domain channel type"
    " 来源 类别 分类 类型 目录 栏目 渠道"
)
_TITLE = "title headline heading subject name 标题 题目"

# most telling name first
_NAMES: dict[str, dict[str, str]] = {
    "documents": {"id": f"id {_DOCUMENT_ID} uuid key", "title": _TITLE, "text": f"{_TEXT} answer response sentence"},
    "queries": {
        "query_id": f"id {_QUERY_ID} 编号 key",
        "query": f"{_QUERY} text body content 文本 内容",
        "relevant": "relevant relevant_ids relevant_docs relevant_documents relevant_doc_ids positive_ids doc_ids"
        f" document_ids gold {_DOCUMENT_ID}",
    },
    "pairs": {
        "id": f"{_DOCUMENT_ID} id",
        "title": _TITLE,
        "text": f"positive pos {_TEXT} answer response 答案 回答",
        "query": _QUERY,
        "query_id": _QUERY_ID,
        "grade": _GRADE,
    },
    "labelled": {
        "label": _LABEL,
        "id": f"{_DOCUMENT_ID} id uuid key",
        "title": _TITLE,
        "text": f"{_TEXT} sentence utterance message ticket comment review tweet post query question"
        " 句子 消息 评论 问题",
        "split": _SPLIT,
    },
    "couples": {
        "id": f"id pair_id pairid {_DOCUMENT_ID} uuid key",
        "text1": " ".join(first for first, _ in _SIDE_BY_SIDE),
        "text2": " ".join(second for _, second in _SIDE_BY_SIDE),
        "score": _SCORE,
        "split": _SPLIT,
    },
    "judgments": {
        "judged_query": f"{_QUERY_ID} query",
        "judged_document": f"{_DOCUMENT_ID} doc document corpus",
        "grade": _GRADE,
    },
    "sources": {"source": _SOURCE},
}
#: tables that may have a column of sources
_OF_SOURCES = ("documents", "queries", "pairs")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def is_called_query(name: str) -> bool:
    """Whether the last word of a column's name is one for queries, as in ``customer_question``."""
    plain = _plain(name)
    return any(plain.endswith(word if not word.isascii() else f"_{word}") for word in _QUERY.split())


def are_sides(first: str, second: str) -> bool:
    """Whether two columns' names are those of the two texts of a pair, such as ``sentence1`` and ``sentence2``."""
    return (_plain(first), _plain(second)) in _SIDE_BY_SIDE


def check_roles(columns: Mapping[str, str]) -> None:
    """See that a mapping given by the user names roles that exist.

    Raises:
        DatasetError: one does not.
    """
    for role in columns:
        if role not in ROLES:
            raise DatasetError(
                say("There is no column role “{role}”.", role=shown(role)),
                say("The roles are: {roles}.", roles=", ".join(ROLES)),
            )


def roles_of(table: str) -> tuple[str, ...]:
    """The roles that columns of a table can play.

    Args:
        table: ``documents``, ``queries``, ``pairs`` (a query and a document a row), ``judgments``, ``labelled`` (texts
            with their classes) or ``couples`` (two texts a row).
    """
    return (*_NAMES[table], "source") if table in _OF_SOURCES else tuple(_NAMES[table])


def guess(table: str, names: Sequence[str], columns: Mapping[str, str], *, file: str) -> dict[str, str]:
    """Map the roles of a table to its columns.

    Args:
        table: as for `roles_of`.
        names: the columns there are.
        columns: the user's mapping; it wins, and an empty name means "no such column".
        file: for messages.

    Raises:
        DatasetError: the user names a column that is not there.
    """
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(_plain(name), name)
    given = {columns[role] for role in _NAMES[table] if role in columns}
    found: dict[str, str] = {}
    for role, synonyms in _NAMES[table].items():
        if role in columns:
            if not columns[role]:
                continue
            if columns[role] not in names:
                raise _no_column(columns[role], names, file)
            found[role] = columns[role]
        else:
            taken = given | set(found.values())
            match = next((by_plain[s] for s in synonyms.split() if s in by_plain and by_plain[s] not in taken), None)
            if match is not None:
                found[role] = match
    return found


def _no_column(wanted: str, names: Sequence[str], file: str) -> DatasetError:
    close = get_close_matches(wanted, [n for n in names if n], n=1)
    cause = say("{file} has no column “{column}”.", file=file, column=shown(wanted))
    if close:
        return DatasetError(cause, say("Did you mean “{column}”?", column=shown(close[0])))
    return DatasetError(cause, say("Its columns are: {columns}.", columns=column_list(names)))


def column_list(names: Sequence[str]) -> str:
    """Column names for a message."""
    return ", ".join(shown(n, 40) for n in names[:20]) + (", …" if len(names) > 20 else "")


def looks_like_judgments(names: Sequence[str]) -> bool:
    """Whether a first row is a header of judgments, not a judgment."""
    known = {s for synonyms in _NAMES["judgments"].values() for s in synonyms.split()}
    return len({_plain(n) for n in names} & known) >= 2

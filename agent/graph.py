"""The graph: conversation -> requirements -> profile -> shortlist -> plan and consent -> measurements -> decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langgraph.graph import END, START, StateGraph

from agent import routing
from agent.context import Context
from agent.nodes import Nodes
from agent.settings import Settings
from agent.state import State


def build_graph(context: Context) -> StateGraph[State, None, State, State]:
    """The graph, not yet compiled: its caller brings the checkpointer."""
    nodes = Nodes(context)
    graph: StateGraph[State, None, State, State] = StateGraph(State)
    for name in (
        "understand",
        "answer",
        "profile",
        "interview",
        "ask",
        "shortlist",
        "plan",
        "agree",
        "evaluate",
        "benchmark",
        "load",
        "probe",
        "recommend",
        "gains",
        "judge",
        "write",
        "rate",
        "report",
    ):
        graph.add_node(name, getattr(nodes, name))
    graph.add_edge(START, "understand")
    graph.add_conditional_edges("understand", routing.after_understanding)
    graph.add_conditional_edges("answer", routing.after_answer)
    graph.add_conditional_edges("profile", routing.after_profile)
    graph.add_conditional_edges("interview", routing.after_interview)
    graph.add_edge("ask", "understand")
    graph.add_conditional_edges("shortlist", routing.after_shortlist)
    graph.add_conditional_edges("plan", routing.after_plan)
    graph.add_conditional_edges("agree", routing.after_plan)
    graph.add_conditional_edges("evaluate", routing.after_evaluate)
    graph.add_conditional_edges("benchmark", routing.after_benchmark)
    graph.add_conditional_edges("load", routing.after_load)
    graph.add_conditional_edges("probe", routing.after_probe)
    graph.add_conditional_edges("recommend", routing.after_recommend)
    graph.add_conditional_edges("gains", routing.after_gains)
    graph.add_conditional_edges("judge", routing.after_judge)
    graph.add_conditional_edges("write", routing.after_write)
    graph.add_conditional_edges("rate", routing.after_rate)
    graph.add_edge("report", END)
    return graph


def make_context(settings: Settings, *, report_folder: Path | None = None) -> Context:
    """A context with the catalog in use and the understanding that the settings ask for."""
    from agent.llm_answers.choice import choose_writer
    from agent.understanding.choice import choose_understanding
    from knowledge.catalog_in_use import usable_catalog

    workspace = settings.workspace()
    in_use = usable_catalog(workspace.home)
    understanding = choose_understanding(settings)
    return Context(
        workspace=workspace,
        catalog=in_use.catalog,
        scores=in_use.scores,
        understanding=understanding,
        reports=workspace.home / "reports",
        report_folder=report_folder,
        writer=choose_writer(settings, understanding),
    )


def studio_graph() -> Any:
    """For LangGraph's own tools (``langgraph.json``), which bring a checkpointer of their own."""
    return build_graph(make_context(Settings())).compile()

"""The conversation: understanding, interview, graph, events."""

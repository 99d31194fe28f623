"""How well plans choose their tools: what is reported of tool use beside the accuracy."""

from collections.abc import Sequence

Tools = tuple[str, ...]
"""The tools of a plan, in order, as often as they are used."""


def tool_metrics(right: Sequence[Tools], planned: Sequence[Tools]) -> dict[str, float]:
    """Shares from 0 to 1 (the source, Ma et al. 2024, arXiv:2403.11085, reports them times 100).

    ``tool_sequence`` is the share of plans with the right tools in the right order. For precision, recall and F1 it
    only counts which tools a plan uses, not how often; they are worked out for each tool, and averaged over the tools
    that some plan uses, right or not. A ratio without any cases is 0.

    Args:
        right: The tools of the right plans.
        planned: Those of the plans that were given, in the same order; empty where an answer is no plan.
    """
    if not right:
        return {}
    pairs = [(set(a), set(b)) for a, b in zip(right, planned, strict=True)]
    used = sorted(set().union(*(a | b for a, b in pairs)))
    precision, recall, f1 = [], [], []
    for tool in used:
        hits = sum(tool in a and tool in b for a, b in pairs)
        wanted, chosen = sum(tool in a for a, _ in pairs), sum(tool in b for _, b in pairs)
        precision.append(hits / chosen if chosen else 0.0)
        recall.append(hits / wanted if wanted else 0.0)
        f1.append(2 * hits / (wanted + chosen))
    count = max(len(used), 1)
    return {
        "tool_sequence": sum(tuple(a) == tuple(b) for a, b in zip(right, planned, strict=True)) / len(right),
        "tool_precision": sum(precision) / count,
        "tool_recall": sum(recall) / count,
        "tool_f1": sum(f1) / count,
    }

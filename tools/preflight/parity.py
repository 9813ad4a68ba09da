"""The same text must give the same vector: again, alone, in a batch, and from an endpoint as from the model itself."""

from __future__ import annotations

import numpy as np

from knowledge.results import Finding
from knowledge.wording import say
from tools.encoders import Resolved, Vectors
from tools.preflight.probe import Figures

#: 1 - cosine that arithmetic alone explains: rounding differs with the shape of a batch (MiniLM on CPU: 2e-7 in fp32,
#: 5e-5 in bf16; the limits leave room for deeper models and other kernels)
NOISE = {"fp32": 1e-4, "fp16": 2e-3, "bf16": 1e-2}
#: for servers and quantised models, whose precision nobody states
UNKNOWN_NOISE = 2e-2
#: a cosine from which on nothing is looked for: ten times what half precision has been measured to explain
SAME = 0.9995
#: beyond this it is another vector, whatever the precision
ANOTHER = 0.05
#: an endpoint that serves the model agrees with it at least so well; int8 has been measured at 0.98
SERVED = 0.98


def noise_of(resolved: Resolved) -> float:
    """What rounding may explain."""
    precision = resolved.options.get("precision", "fp32")
    return NOISE.get(precision, UNKNOWN_NOISE) if resolved.backend == "st" else UNKNOWN_NOISE


def batch_findings(resolved: Resolved, figures: Figures) -> list[Finding]:
    """Again, alone and in a batch."""
    if not figures:
        return []
    noise = noise_of(resolved)
    findings = []
    if figures["misplaced"]:
        findings.append(
            Finding(
                check="parity",
                severity="fails",
                finding=say(
                    "Of {texts:.0f} texts sent together, {count:.0f} got another text's vector: the order of the answer"
                    " is not that of the texts.",
                    texts=figures["texts"],
                    count=figures["misplaced"],
                ),
                remedy=say("Repair the server, or send one text at a time."),
                figures=figures,
            )
        )
    elif figures["alone"] > noise:
        findings.append(
            Finding(
                check="parity",
                severity="fails" if figures["alone"] > ANOTHER else "warns",
                finding=say(
                    "A text encoded alone and the same text in a padded batch give different vectors (cosine"
                    " {cosine:.4f}): padding is not masked.",
                    cosine=1 - figures["alone"],
                ),
                remedy=say("Check the tokenizer's padding side and that it returns an attention mask."),
                figures=figures,
            )
        )
    if figures["repeat"] > noise and not figures["misplaced"]:
        findings.append(
            Finding(
                check="parity",
                severity="fails" if figures["repeat"] > ANOTHER else "warns",
                finding=say(
                    "The same texts encoded twice give different vectors (cosine {cosine:.4f}).",
                    cosine=1 - figures["repeat"],
                ),
                remedy=say("Look for dropout that is left on, or for several versions behind one address."),
                figures=figures,
            )
        )
    return findings


def served_findings(model: str, served: Vectors, local: Vectors) -> list[Finding]:
    """An endpoint's vectors against those of the model itself on this machine, text by text."""
    if served.shape[1] != local.shape[1]:
        return [
            Finding(
                check="served",
                severity="warns",
                finding=say(
                    "The endpoint gives {served} dimensions, {model} on this machine {local}: it serves another model.",
                    served=served.shape[1],
                    local=local.shape[1],
                    model=model,
                ),
                remedy=say("Find out what the endpoint serves."),
                figures={"served_dimension": float(served.shape[1]), "local_dimension": float(local.shape[1])},
            )
        ]
    a, b = served.astype(np.float64), local.astype(np.float64)
    lengths, ours = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.maximum(lengths * ours, 1e-12)
    figures = {"lowest_cosine": float(cosines.min()), "mean_cosine": float(cosines.mean()), "texts": float(len(a))}
    figures |= {"served_length": float(lengths.mean()), "local_length": float(ours.mean())}
    findings = []
    if figures["lowest_cosine"] < SERVED:
        findings.append(
            Finding(
                check="served",
                severity="warns",
                finding=say(
                    "The endpoint's vectors are not those of {model} on this machine (cosine {mean:.3f} on average,"
                    " {low:.3f} at least).",
                    model=model,
                    mean=figures["mean_cosine"],
                    low=figures["lowest_cosine"],
                ),
                remedy=say("Compare prompts, pooling, token limit and quantisation of the two."),
                figures=figures,
            )
        )
    if abs(figures["served_length"] - figures["local_length"]) > 0.01 * max(figures["local_length"], 1e-12):
        findings.append(
            Finding(
                check="served",
                severity="notes",
                finding=say(
                    "The endpoint's vectors have length {served:.3g}, those of {model} on this machine {local:.3g}: one"
                    " of them normalises and the other does not.",
                    served=figures["served_length"],
                    local=figures["local_length"],
                    model=model,
                ),
                remedy=say("In production use the COSINE metric, or normalise before you store."),
                figures=figures,
            )
        )
    return findings

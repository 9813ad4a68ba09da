"""How token vectors become one vector, and whether its length fits the metric: as the files say, and as was seen."""

from __future__ import annotations

from knowledge.model_card import ModelCard
from knowledge.results import Finding
from knowledge.wording import say
from tools.encoders import Resolved
from tools.preflight.model_files import ModelFiles
from tools.preflight.probe import Figures

#: 1 - cosine to plain transformers beyond which the vectors are another model's; arithmetic alone gives 1e-6 in fp32
REFERENCE_NOISE = {"fp32": 1e-3, "fp16": 5e-3, "bf16": 2e-2, "int8": 8e-2}
ANOTHER_MODEL = 0.1
#: spread (standard deviation over mean) of lengths that can change a ranking
LENGTHS_DIFFER = 0.01


def pooling_findings(files: ModelFiles) -> list[Finding]:
    """What the model's folder says about pooling and dense layers; for sentence-transformers models."""
    findings = []
    modes = files.pooling_modes
    if files.modules is None:
        findings.append(
            Finding(
                check="pooling",
                severity="warns",
                finding=say(
                    "It has no modules.json, so sentence-transformers does not read its pooling ({modes}) and takes the"
                    " mean of all tokens (for decoders the last).",
                    modes=", ".join(modes),
                )
                if modes
                else say(
                    "It says nothing about pooling, so sentence-transformers takes the mean of all tokens (for decoders"
                    " the last), which may not be what it was trained with."
                ),
                remedy=say("Save the model with SentenceTransformer.save_pretrained(), with the pooling it needs."),
            )
        )
    elif files.pooling_folder is not None and not modes:
        findings.append(
            Finding(
                check="pooling",
                severity="warns",
                finding=say(
                    "Its pooling names no mode, so sentence-transformers takes the mean of all tokens, which may not be"
                    " what it was trained with."
                ),
                remedy=say("Name the mode in {file}.", file=f"{files.pooling_folder}/config.json"),
            )
        )
    findings += _contradictions(files, modes)
    listed = {path for _, path in files.modules or ()}
    skipped = [name for name in files.dense_folders if name not in listed]
    if skipped:
        findings.append(
            Finding(
                check="pooling",
                severity="warns",
                finding=say(
                    "Its folder holds a dense layer ({folder}) that modules.json does not list, so it is skipped.",
                    folder=", ".join(skipped),
                ),
                remedy=say("List the layer in modules.json, or fetch the model again."),
            )
        )
    return findings


def _contradictions(files: ModelFiles, modes: tuple[str, ...]) -> list[Finding]:
    old = tuple(
        key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
        for key, value in files.pooling.items()
        if key.startswith("pooling_mode_") and value is True
    )
    width, hidden = _width(files)
    findings = []
    if files.pooling.get("pooling_mode") and old and set(old) != set(modes):
        findings.append(
            Finding(
                check="pooling",
                severity="warns",
                finding=say(
                    "Its pooling configuration contradicts itself: {one} and {other}.",
                    one=", ".join(modes),
                    other=", ".join(old),
                ),
                remedy=say("Name the mode in {file}.", file=f"{files.pooling_folder}/config.json"),
            )
        )
    if width and hidden and width != hidden:
        findings.append(
            Finding(
                check="pooling",
                severity="warns",
                finding=say(
                    "Its pooling was made for token vectors of {width} dimensions, but the model's have {hidden}.",
                    width=width,
                    hidden=hidden,
                ),
                remedy=say("Fetch or save the model again."),
                figures={"pooling_dimension": float(width), "hidden_size": float(hidden)},
            )
        )
    return findings


def _width(files: ModelFiles) -> tuple[int, int]:
    width = files.pooling.get("word_embedding_dimension", files.pooling.get("embedding_dimension"))
    hidden = files.beside_transformer("config.json").get("hidden_size")
    return (width if isinstance(width, int) else 0, hidden if isinstance(hidden, int) else 0)


def metric_findings(resolved: Resolved, files: ModelFiles, card: ModelCard | None, norms: Figures) -> list[Finding]:
    """Lengths of the vectors against the metric they are compared by."""
    stated = files.sbert.get("similarity_fn_name")
    differ = norms.get("spread", 0.0) > LENGTHS_DIFFER
    findings = []
    if stated in ("euclidean", "manhattan"):
        findings.append(
            Finding(
                check="pooling",
                severity="warns",
                finding=say("It was made for {metric} distance, but is compared by cosine here.", metric=str(stated)),
                remedy=say("Take its figures with care: with its own metric they may be better."),
            )
        )
    if card and card.similarity in ("cosine", "dot") and stated in ("cosine", "dot") and stated != card.similarity:
        findings.append(
            Finding(
                check="pooling",
                severity="warns" if differ else "notes",
                finding=say(
                    "Its configuration says {stated} and its catalog card {card}; {used} is used here, and the lengths"
                    " of its vectors range from {low:.3g} to {high:.3g}.",
                    stated=str(stated),
                    card=card.similarity,
                    used="cosine" if resolved.normalise else "dot",
                    low=norms.get("low", 0.0),
                    high=norms.get("high", 0.0),
                ),
                remedy=say("Find out which of the two it was trained for."),
                figures=norms,
            )
        )
    elif differ and resolved.normalise:
        findings.append(
            Finding(
                check="pooling",
                severity="notes",
                finding=say(
                    "Its vectors are not of unit length ({low:.3g} to {high:.3g}): they are brought to it here. By"
                    " inner product without that, {share:.0%} of the sampled queries would find another document"
                    " first.",
                    low=norms.get("low", 0.0),
                    high=norms.get("high", 0.0),
                    share=norms.get("first_changes", 0.0),
                ),
                remedy=say("In production use the COSINE metric, or normalise before you store."),
                figures=norms,
            )
        )
    elif differ:
        findings.append(
            Finding(
                check="pooling",
                severity="notes",
                finding=say(
                    "It was made for the dot product, and its vectors differ in length ({low:.3g} to {high:.3g}).",
                    low=norms.get("low", 0.0),
                    high=norms.get("high", 0.0),
                ),
                remedy=say("In production use the IP metric and do not normalise."),
                figures=norms,
            )
        )
    return findings


def reference_findings(resolved: Resolved, figures: Figures) -> list[Finding]:
    """The encoder's vectors against those of plain transformers with the pooling and layers in the folder."""
    if not figures:
        return []
    remedy = say("Fetch the model again; if that does not help, its pooling or layers are not read as they are meant.")
    if "difference" not in figures:
        return [
            Finding(
                check="pooling",
                severity="fails",
                finding=say(
                    "With the layers in its folder it would give {expected:.0f} dimensions, but it gives {found:.0f}: a"
                    " layer is skipped.",
                    expected=figures["reference_dimension"],
                    found=figures["dimension"],
                ),
                remedy=remedy,
                figures=figures,
            )
        ]
    noise = REFERENCE_NOISE[resolved.options.get("precision", "fp32")]
    if figures["difference"] <= noise:
        return []
    return [
        Finding(
            check="pooling",
            severity="fails" if figures["difference"] > ANOTHER_MODEL else "warns",
            finding=say(
                "Its vectors are not those of plain transformers with the pooling that its folder names (cosine"
                " {cosine:.3f}).",
                cosine=1 - figures["difference"],
            ),
            remedy=remedy,
            figures=figures,
        )
    ]

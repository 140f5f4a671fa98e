"""Experiments that are decided, as far as evidence of segments is read of them."""

from types import SimpleNamespace

from layer7.contract.effects import SegmentEffect


def effect(name, shrunken, low, high):
    return SegmentEffect(
        name=name, control_n=300, treatment_n=320, difference=shrunken, shrunken=shrunken,
        shrunken_interval=None if low is None else (low, high),
    )  # fmt: skip


def experiment(*segments, verdict="ship", metric="interview_rate", name="e1"):
    """What is read of an experiment; the rest of it does not matter here."""
    results = SimpleNamespace(verdict=verdict, segments=segments, variant_id="treatment")
    variants = [
        SimpleNamespace(variant_id=each, name=said)
        for each, said in (("control", "As before"), ("treatment", "Follow up after 5 days"))
    ]
    return SimpleNamespace(
        experiment_id=name, name="Follow-ups", success_metric=metric, results=results, variants=variants
    )

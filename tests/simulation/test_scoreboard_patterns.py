"""The lines of S0 and S1: what is claimed is counted against what was planted, on the same log."""

from layer7.simulation.scoreboard.patterns import MEASURES, patterns


def test_a_small_market_gives_a_pair_for_every_line():
    pairs = patterns("S1", 15, 10, 3)
    assert {measure.key for measure in MEASURES} <= set(pairs)
    assert pairs["people"].engine.n == 15
    assert pairs["people"].engine.value <= 1
    assert pairs["people"].naive.value > 5, "the usual rule shows patterns to most people"
    assert pairs["false"].naive.value <= pairs["false"].naive.n
    planted = [pair.engine.n for key, pair in pairs.items() if key.startswith("power")]
    assert 0 < sum(planted) < 15

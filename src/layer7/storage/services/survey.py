"""Segments and the market, as the last night left them."""

from dataclasses import dataclass

from layer7.contract.analytics import UserSegment
from layer7.contract.market import MarketInsights
from layer7.errors import Layer7Error
from layer7.storage.home import Home


@dataclass(frozen=True, slots=True)
class Survey:
    """What nights say about people in general, read from derived tables.

    Args:
        home: the installation.
    """

    home: Home

    def segments(self) -> tuple[UserSegment, ...]:
        """Give the segments that others may see, the largest first; none before the first night.

        They are read from the release; those of :meth:`inside` are for people who run the installation.
        """
        return self._segments("released_segments")

    def inside(self) -> tuple[UserSegment, ...]:
        """Give the segments as counted, without noise: never to be shown to others."""
        return self._segments("segments")

    def _segments(self, dataset: str) -> tuple[UserSegment, ...]:
        with self.home.warehouse.open() as tables:
            table = tables.read(dataset)
            rows = [] if table is None else table.order_by("place").to_pyarrow().to_pylist()
        return tuple(UserSegment.model_validate_json(row["document"]) for row in rows)

    def segment(self, segment_id: str, *, inside: bool = False) -> UserSegment:
        """Give one segment.

        Args:
            segment_id: its name.
            inside: as counted, without noise: never to be shown to others.

        Raises:
            Layer7Error: ``unknown_segment``.
        """
        with self.home.warehouse.open() as tables:
            table = tables.read("segments" if inside else "released_segments")
            own = None if table is None else table.filter(table.segment_id == segment_id)
            rows = [] if own is None else own.to_pyarrow().to_pylist()
        if not rows:
            raise Layer7Error(
                "unknown_segment",
                "No segment of this name is shown.",
                "They are listed by `layer7 segments list`; those about too few people are left out.",
            )
        return UserSegment.model_validate_json(rows[0]["document"])

    def market(self, *, inside: bool = False) -> MarketInsights:
        """Give what the market does.

        Args:
            inside: as counted, without noise: never to be shown to others.

        Raises:
            Layer7Error: ``no_survey`` before the first night that had applications.
        """
        with self.home.warehouse.open() as tables:
            table = tables.read("market" if inside else "released_market")
            rows = [] if table is None else table.to_pyarrow().to_pylist()
        if not rows:
            raise Layer7Error(
                "no_survey",
                "No night has looked at the market yet.",
                "Take in events, then run `layer7 nightly`.",
            )
        return MarketInsights.model_validate_json(rows[0]["document"])

"""A calibration as it is printed: a table by distance, a table by kind, and the setting to use."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from btfer.cli import output

if TYPE_CHECKING:
    from btfer.pipeline.calibrate import Calibration
    from btfer.pipeline.calibrate_table import OfKind, Share
    from btfer.settings import Settings


def show(found: "Calibration", settings: "Settings", as_json: bool) -> None:
    """Print what was measured."""
    from btfer.pipeline.calibrate_table import RULE

    advice = _advice(found.suggested, settings.max_hamming_bits)
    if as_json:
        facts = asdict(found) | {"rule": RULE, "advice": advice}
        print(json.dumps(facts, default=str, indent=2))
        return
    _table_by_distance(found)
    _tables_by_kind(found, settings)
    about = "represent all near pairs of the catalogue" if found.drawn else "count once each"
    print(f"\n{found.pairs} pairs, {found.same} of which show the same picture; they {about}.")
    if found.equal_bytes:
        print(
            f"{found.equal_bytes} more have equal bytes, so they are one photo already: not counted."
        )
    plot = found.plot or "none; drawing one needs pip install 'btfer[bench]'"
    print(f"Precision and recall with 95 % intervals; plot: {plot}")
    print(f"{advice}\nRule: {RULE}.")
    _hashes(found)


def _hashes(found: "Calibration") -> None:
    """Each hash alone at its best, and which suits."""
    from btfer.pipeline.calibrate_hashes import advice

    if not found.hashes:
        return
    print("\nEach hash alone, at 99 % precision")
    rows = [
        [one.name, "-" if one.best is None else f"{one.best:.0%} of the bits", f"{one.found:.3f}"]
        for one in found.hashes
    ]
    output.table(["hash", "largest distance", "recall"], rows)
    print(advice(found.hashes) + (f" Plot: {found.hash_plot}" if found.hash_plot else ""))


def _advice(suggested: int | None, now: int) -> str:
    if suggested is None:
        return (
            "No distance can be suggested: none is precise enough, or no duplicate is found at all."
        )
    if suggested == now:
        return f"Suggested distance: {suggested}, which is what is set (max_hamming_bits)."
    return f"Suggested distance: {suggested}; set BTFER_MAX_HAMMING_BITS={suggested} (now {now})."


def _table_by_distance(found: "Calibration") -> None:
    head = ["bits", "pairs", "hash: precision", "recall", "confirmed: precision", "recall", ""]
    rows: list[list[Any]] = []
    for row in found.table:
        shares = [s for one in (row.by_hash, row.confirmed) for s in (one.precision, one.recall)]
        mark = "<- suggested" if row.max_bits == found.suggested else ""
        rows.append([f"{row.max_bits:>4}", row.pairs, *map(_share, shares), mark])
    output.table(head, rows)


def _tables_by_kind(found: "Calibration", settings: "Settings") -> None:
    from btfer.pipeline.calibrate_table import LEAST_RECALL

    at = settings.max_hamming_bits if found.suggested is None else found.suggested
    copies = [one for one in found.kinds if one.same]
    strong, weak = ([one for one in copies if one.weak is is_weak] for is_weak in (False, True))
    apart = [one for one in found.kinds if not one.same]
    for title, kinds in (
        (f"Copies found at {at} bits", strong),
        (f"Kinds of copies found less often than {LEAST_RECALL:.0%}", weak),
        (f"Different pictures called the same at {at} bits", apart),
    ):
        if kinds:
            print(f"\n{title}")
            output.table(["kind", "pairs", "by hash", "confirmed"], [_of_kind(k) for k in kinds])


def _of_kind(one: "OfKind") -> list[Any]:
    return [one.kind or "(no kind)", one.pairs, _share(one.by_hash), _share(one.confirmed)]


def _share(one: "Share") -> str:
    return "-" if one.point is None else f"{one.point:.3f} ({one.low:.3f}-{one.high:.3f})"

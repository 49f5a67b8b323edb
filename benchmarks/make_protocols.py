"""Write the protocols that ship with regionwise, checksums and all.

    python benchmarks/make_protocols.py

Only for a new protocol: a change to one that is out makes every number taken with it worthless.
"""

from __future__ import annotations

from pathlib import Path

from regionwise.evaluation.manifest import Manifest, MaskSet
from regionwise.evaluation.object_removal import ObjectRemoval, ObjectSet

FOLDER = Path(__file__).parent.parent / "src" / "regionwise" / "evaluation" / "protocols"
SIZE = (256, 256)
COUNT = 200

# Half of the NVIDIA test masks keep 50 of 512 pixels clear at each border, half are free.
NVIDIA_MARGINS = (50 / 512, 0.0)

TENTHS = [(0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6)]
MADF_BINS = [(0.01, 0.1), *TENTHS[1:]]


def bins(
    mixture: dict[str, float],
    ratios: list[tuple[float, float]],
    seed: int,
    margins: tuple[float, ...] = (0.0,),
    *,
    prefix: str = "",
    count: int = COUNT,
    size: tuple[int, int] = SIZE,
) -> list[MaskSet]:
    """A set for each ratio; each has a seed of its own."""
    return [
        MaskSet(
            name=prefix + f"{low:.0%}-{high:.0%}".replace("%-", "-"),
            mixture=mixture,
            ratio=(low, high),
            margins=margins,
            count=count,
            seed=seed + number,
            size=size,
        )
        for number, (low, high) in enumerate(ratios)
    ]


def bakeoff(side: int, count: int, seed: int) -> Manifest:
    """Both kinds of holes by ratio at one size of picture."""
    more = {"count": count, "size": (side, side)}
    rows = [
        *bins({"contiguous": 1}, TENTHS[:5], seed, prefix="contiguous ", **more),
        *bins({"discontiguous": 1}, TENTHS[:5], seed + 10, prefix="discontiguous ", **more),
    ]
    return Manifest(
        name=f"bakeoff-{side}",
        title=f"Contiguous and discontiguous holes by ratio at {side}×{side}",
        source="regionwise",
        all=tuple(one.name for one in rows),
        sets=tuple(rows),
    )


def regular(seed: int) -> MaskSet:
    """The fixed square in the middle: one mask."""
    return MaskSet(name="regular", mixture={"center-square": 1}, count=1, seed=seed, size=SIZE)


def whole(name: str, mixture: dict[str, float], seed: int) -> MaskSet:
    """A set without a ratio."""
    return MaskSet(name=name, mixture=mixture, count=COUNT, seed=seed, size=SIZE)


def protocols() -> list[Manifest]:
    irregular = bins({"irregular": 1}, TENTHS, 1000, NVIDIA_MARGINS)
    madf = bins({"irregular": 1}, MADF_BINS, 2000, NVIDIA_MARGINS)
    three = {"rectangle": 1.0, "free-form": 1.0, "cellular-automaton": 1.0}
    return [
        Manifest(
            name="rn-table-1",
            title="Irregular holes by ratio, all of 0-60 %, and the fixed square",
            source="Region Normalization for Image Inpainting, AAAI 2020, Table 1 and Section 4.1",
            all=tuple(one.name for one in irregular),
            sets=(*irregular, regular(1100)),
        ),
        Manifest(
            name="madf-table-1",
            title="Irregular holes in six bins, and the regular hole",
            source="Image Inpainting by MADF and cascaded refinement, IEEE TIP 2021, Table I",
            all=tuple(one.name for one in madf),
            sets=(*madf, regular(2100)),
        ),
        Manifest(
            name="region-wise-table-2",
            title="Contiguous holes by ratio",
            source="Region-wise generative adversarial image inpainting, Table 2",
            all=(),
            sets=tuple(bins({"contiguous": 1}, TENTHS[:5], 3000)),
        ),
        Manifest(
            name="region-wise-table-3",
            title="Discontiguous holes by ratio",
            source="Region-wise generative adversarial image inpainting, Table 3",
            all=(),
            sets=tuple(bins({"discontiguous": 1}, TENTHS[:5], 3100)),
        ),
        Manifest(
            name="deepgin-table-2",
            title="Random rectangles, and three types of holes",
            source="DeepGIN: Deep Generative Inpainting Network, AIM at ECCV 2020, Table 2",
            all=(),
            sets=(whole("rectangles", {"rectangle": 1}, 4000), whole("three types", three, 4001)),
        ),
        Manifest(
            name="deepgin-table-2-aim",
            title="The challenge's own automaton alone, and in three types of holes",
            source="DeepGIN, Table 2, with the masks of the AIM 2020 challenge's generator",
            all=(),
            sets=(
                whole("automaton", {"aim-automaton": 1}, 4100),
                whole("three types", {"rectangle": 1, "free-form": 1, "aim-automaton": 1}, 4101),
            ),
        ),
        Manifest(
            name="card",
            title="Strokes and blobs of 10-40 %, for model cards",
            source="regionwise",
            all=("strokes", "blobs"),
            sets=tuple(
                MaskSet(
                    name=name,
                    mixture={family: 1},
                    ratio=(0.1, 0.4),
                    count=100,
                    seed=seed,
                    size=SIZE,
                )
                for name, family, seed in (
                    ("strokes", "irregular", 5000),
                    ("blobs", "contiguous", 5001),
                )
            ),
        ),
        bakeoff(256, 100, 6000),
        bakeoff(512, 50, 6100),
    ]


def object_removal() -> ObjectRemoval:
    """Objects by thickness, in photos of the sizes that they have."""
    ends = ((40, 80), (80, 140), (140, 250))
    return ObjectRemoval(
        name="object-removal",
        title="Objects of 40-250 pixels taken out of photos of 512-2000",
        source="regionwise",
        seed=7000,
        shorter=320,
        longer=512,
        longest=2000,
        sizes=((320, 512), (512, 512), (1024, 683), (1333, 2000)),
        sets=tuple(ObjectSet(name=f"{low}-{high} px", thickness=(low, high)) for low, high in ends),
    )


def main() -> None:
    objects = object_removal()
    file = FOLDER / "objects" / f"{objects.name}.json"
    file.write_text(objects.sealed().to_json(), encoding="utf-8")
    for protocol in protocols():
        file = FOLDER / f"{protocol.name}.json"
        file.write_text(protocol.sealed().to_json(), encoding="utf-8")
        print(
            f"{file.name}: {sum(one.count for one in protocol.sets)} masks, {file.stat().st_size} B"
        )


if __name__ == "__main__":
    main()

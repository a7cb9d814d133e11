"""Every separation model there is, declared once: stems, engines, files, licence, source.

The sizes and checksums of the HTDemucs files were not taken from a download of ours (none was possible here): several
independent projects publish the same ones. ``mdx_extra`` has none published; what the hub says of its files when they
are pulled counts for those. ADR 19 says more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_FOUR = ("vocals", "drums", "bass", "other")
_SIX = ("vocals", "drums", "bass", "guitar", "piano", "other")
_DEMUCS_LICENCE = (
    "The program is MIT. The weights: the hub's page is said to state MIT; their author wrote in 2022 and 2023 that "
    "they are not covered by it and meant for research (facebookresearch/demucs, issues 327 and 508)."
)


@dataclass(frozen=True)
class ModelFile:
    """One file of weights, under its official name.

    ``size_bytes`` and ``sha256`` are None where nobody has published them: then the hub's own word counts.
    ``makes``: the stems that are taken from this file; empty: all, averaged with those of the other files.
    """

    name: str
    size_bytes: int | None = None
    sha256: str | None = None
    makes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSpec:
    """One model. ``engines`` can run it, the one to prefer first; ``stems`` in the order they are shown.

    ``about_mb`` is for people; ``segment_s`` overrides the length of a segment that the file itself names.
    """

    name: str
    label: str
    stems: tuple[str, ...]
    engines: tuple[str, ...]
    licence: str
    may_sell: bool  # whether commercial use of the results is beyond doubt
    files: tuple[ModelFile, ...] = ()
    repo: str = ""  # on the hub
    revision: str = "main"
    about_mb: int = 0
    segment_s: float | None = None

    @property
    def size_bytes(self) -> int | None:
        """Size of all files, None where one's is not known."""
        sizes = [file.size_bytes for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size)

    def files_for(self, stems: Collection[str]) -> tuple[ModelFile, ...]:
        """Those files that the wanted stems need; all of them where no stems are named."""
        return tuple(file for file in self.files if not stems or not file.makes or set(file.makes) & set(stems))


# The best first: "auto" takes the first one that can run.
MODELS: Final[Mapping[str, ModelSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            ModelSpec(
                name="htdemucs_ft",
                label="Demucs, fine-tuned",
                stems=_FOUR,
                engines=("openvino", "demucs"),
                licence=_DEMUCS_LICENCE,
                may_sell=False,
                files=(
                    ModelFile(
                        "f7e0c4bc.safetensors",
                        84_025_440,
                        "2c85ab3c62dd6edd8e0b965e38b16fd1cdde357cc25de6b6bc9ce7c83f60925f",
                        makes=("drums",),
                    ),
                    ModelFile(
                        "d12395a8.safetensors",
                        84_025_440,
                        "5b01a97567ae9a3178a6236fb520251045c03eb8834bc8c24a4eec11d6c8fb56",
                        makes=("bass",),
                    ),
                    ModelFile(
                        "92cfc3b6.safetensors",
                        84_025_440,
                        "a241863551f30d01c42bd7b97da40839922ead3acb0f1fcab25682f55b4eeb59",
                        makes=("other",),
                    ),
                    ModelFile(
                        "04573f0d.safetensors",
                        84_025_440,
                        "68854b0d7c2b3274723b5761f6fd9f5aec5f1bcd3f0de7c1669546fdb7871b7c",
                        makes=("vocals",),
                    ),
                ),
                repo="adefossez/HTDemucs-ft",
                revision="d74ac89c3a1e874fc78f152555cf4d8533f06cd4",
                about_mb=336,
            ),
            ModelSpec(
                name="htdemucs",
                label="Demucs",
                stems=_FOUR,
                engines=("openvino", "demucs"),
                licence=_DEMUCS_LICENCE,
                may_sell=False,
                files=(
                    ModelFile(
                        "955717e8.safetensors",
                        84_025_440,
                        "d9fa14133cfcc034a6758923bb3a8ca9f8dfd0b582134643bbf83f72c17576dd",
                    ),
                ),
                repo="adefossez/HTDemucs",
                revision="cbc8a9b1a87023b7fd74e7b3412e6321c0eab003",
                about_mb=84,
            ),
            ModelSpec(
                name="mdx_extra",
                label="Demucs 3 (MDX extra)",
                stems=_FOUR,
                engines=("demucs",),
                licence=_DEMUCS_LICENCE,
                may_sell=False,
                files=tuple(
                    ModelFile(f"{signature}.safetensors")
                    for signature in ("e51eebcc", "a1d90b5c", "5d2d6c55", "cfa93e08")
                ),
                repo="adefossez/Demucs-mdx_extra",
                about_mb=669,
                segment_s=44,
            ),
            ModelSpec(
                name="htdemucs_6s",
                label="Demucs, six stems",
                stems=_SIX,
                engines=("openvino", "demucs"),
                licence=_DEMUCS_LICENCE,
                may_sell=False,
                files=(
                    ModelFile(
                        "5c90dfd2.safetensors",
                        54_885_744,
                        "d2a1745f0744721f6b8ca5bf469b67c651ea5ed1b52998cab033b2158609d411",
                    ),
                ),
                repo="adefossez/HTDemucs-6s",
                revision="3c5ee475be622df764938de97e4281a7b07ffa58",
                about_mb=55,
            ),
            ModelSpec(
                name="dsp",
                label="Basic separation",
                stems=_FOUR,
                engines=("dsp",),
                licence="MIT: signal processing, part of this program.",
                may_sell=True,
            ),
        )
    }
)

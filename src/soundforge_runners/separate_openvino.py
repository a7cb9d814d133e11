"""Separate a song with the hybrid transformer Demucs on the processor, as a child that may stay for the next song.

Request: ``{"pcm", "sample_rate_hz", "channels", "frames", "region", "folder", "stems", "two_stem", "raw"}``, see
``_stems``, and ``{"members": [{"path", "stems"}], "made", "streams", "threads", "precision", "overlap",
"shifts", "offsets"}``: the files of weights, each with the stems to take from it; the stems that the model makes, in
their order; how many segments at once, on how many threads. Result: ``{"stems": [{"name", "path", "peaks_path"}],
"gain_db", "closing", "warnings"}``.

The network of the last request stays loaded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from soundforge_runners._protocol import Channel, Message, serve

if TYPE_CHECKING:
    from soundforge_runners._stems import Outputs, Samples, Source
    from soundforge_runners.htdemucs import Network

_LOADING, _SEPARATING = 2.0, 85.0  # percent of the work that are done then


class Separation:
    """The program; it keeps the network that it used last."""

    def __init__(self) -> None:
        self._kept: tuple[Message, Network] | None = None

    def handle(self, request: Message, channel: Channel) -> Message:
        """Do one request; scratch files go whatever happens, half-written stems are the folder's owner's to remove."""
        from soundforge_runners._stems import Outputs, Source, StemWriter

        channel.progress(0, "loading")
        source = Source.from_request(request)
        outputs = Outputs.from_request(request, request["made"])
        members = [
            (Path(one["path"]), [name for name in one["stems"] if name in outputs.needed]) for one in request["members"]
        ]
        members = [(path, stems) for path, stems in members if stems]
        with StemWriter(source, Path(request["folder"]), outputs.names, closing=outputs.closing) as writer:
            for number, (path, stems) in enumerate(members):
                for block, share in _blocks(request, source, self._network(request, path, stems)):
                    writer.add(block)
                    done = (number + share) / len(members)
                    channel.progress(_LOADING + (_SEPARATING - _LOADING) * done, "separating")
            result = writer.finish(
                lambda share: channel.progress(_SEPARATING + (100 - _SEPARATING) * share, "encoding")
            )
        return {**result, "warnings": list(outputs.warnings)}

    def _network(self, request: Message, path: Path, stems: list[str]) -> "Network":
        """The network of a member, kept from before if it is the same one for the same use."""
        from soundforge_runners.htdemucs import Network

        use = {name: request[name] for name in ("streams", "threads", "precision")}
        changed_at = path.stat().st_mtime_ns if path.is_file() else 0
        wanted = {**use, "path": str(path), "stems": stems, "changed_at": changed_at}
        if self._kept is None or self._kept[0] != wanted:
            self._kept = None  # two at once would need twice the memory
            self._kept = wanted, Network(path, stems, **use)
        return self._kept[1]


def _members(request: Message, outputs: "Outputs") -> list[tuple[Path, list[str]]]:
    """The files of weights that are needed, each with what is to be taken from it."""
    every = [(one["path"], [name for name in one["stems"] if name in outputs.needed]) for one in request["members"]]
    return [(Path(path), stems) for path, stems in every if stems]


def _blocks(request: Message, source: "Source", network: "Network") -> "Iterator[tuple[dict[str, Samples], float]]":
    """Finished samples by stem at the source's rate, and the share of the work done."""
    from soundforge_runners.htdemucs import Plan, Track, separate

    architecture = network.architecture
    with Track(source, architecture.rate_hz, Path(request["folder"])) as track:
        plan = Plan.of(
            track.frames,
            architecture.segment_frames,
            architecture.rate_hz,
            overlap=request["overlap"],
            shifts=request["shifts"],
            offsets=request.get("offsets") or (),
        )
        back = track.way_back(network.stems)
        for stems, share in separate(track, network, plan):
            yield back.add(stems), share
        yield back.finish(), 1.0


if __name__ == "__main__":
    serve("separate_openvino", Separation().handle)

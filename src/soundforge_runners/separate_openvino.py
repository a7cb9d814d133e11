"""Separate a song with the hybrid transformer Demucs on the processor, as a child that may stay for the next song.

Request: what ``_separation`` says, and ``{"members": [{"path", "stems"}], "made", "streams", "threads", "precision",
"overlap", "shifts", "offsets"}``: the files of weights, each with the stems to take from it (none named: all); the
stems that the model makes, in their order; how many segments at once, on how many threads. Result: as ``_separation``
says.

The network of the last request stays loaded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from soundforge_runners._protocol import Channel, Message, serve

if TYPE_CHECKING:
    from soundforge_runners._separation import Blocks, Tell
    from soundforge_runners._stems import Outputs, Samples, Source
    from soundforge_runners.htdemucs import Network


class Separation:
    """The program; it keeps the network that it used last."""

    def __init__(self) -> None:
        self._kept: tuple[Message, Network] | None = None

    def handle(self, request: Message, channel: Channel) -> Message:
        """Do one request."""
        from soundforge_runners._separation import make_stems

        return make_stems(
            request,
            channel,
            request["made"],
            lambda source, outputs, tell: self._blocks(request, source, outputs, tell),
        )

    def _blocks(self, request: Message, source: "Source", outputs: "Outputs", tell: "Tell") -> "Blocks":
        """Finished samples at the source's rate, of one file of weights after the other."""
        from soundforge_runners._separation import members_for

        members = members_for(request, outputs)
        for number, (path, makes) in enumerate(members):
            stems = [name for name in outputs.needed if name in (makes or outputs.needed)]
            for block, share in _separated(request, source, self._network(request, path, stems)):
                yield block
                tell((number + share) / len(members))

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


def _separated(request: Message, source: "Source", network: "Network") -> "Iterator[tuple[dict[str, Samples], float]]":
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

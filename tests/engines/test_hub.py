import asyncio
import errno
import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from soundforge.engines import MODELS, ModelFile, ModelHub, ModelSpec, ModelStore
from soundforge.engines._hub import _room
from soundforge.errors import Broken, Conflict, Invalid, SoundForgeError, Unavailable
from tests.support.fake_hub import FakeHub, serving_hub

A, B = bytes(range(256)) * 40, b"b" * 5000
WHOLE = len(A) + len(B)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def spec(*, known: bool = True) -> ModelSpec:
    files = [("a.safetensors", A), ("b.safetensors", B)]
    return ModelSpec(
        name="tiny",
        label="Tiny",
        stems=("drums", "bass"),
        engines=("fake",),
        licence="MIT",
        may_sell=True,
        files=tuple(ModelFile(name, len(c), sha256(c)) if known else ModelFile(name) for name, c in files),
        repo="owner/tiny",
    )


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content[:3]
    yield content[3:]


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving_hub(FakeHub({"owner/tiny/a.safetensors": A, "owner/tiny/b.safetensors": B})) as served:
        yield served


def opened(hub: FakeHub, folder: Path, *, known: bool = True) -> tuple[ModelHub, ModelStore]:
    store = ModelStore(folder / "models", models={"tiny": spec(known=known)})
    return ModelHub(hub.address, store), store


def names(store: ModelStore) -> list[str]:
    return sorted(path.name for path in (store.folder / "tiny").glob("*"))


async def test_a_model_is_pulled_whole_checked_and_usable(hub: FakeHub, tmp_path: Path) -> None:
    puller, store = opened(hub, tmp_path)
    heard: list[float] = []
    assert await puller.pull("tiny", on_progress=lambda percent, _stage: heard.append(percent)) == WHOLE
    assert names(store) == ["a.safetensors", "b.safetensors"]
    assert (await store.get_files("tiny"))["a.safetensors"].read_bytes() == A
    assert heard == sorted(heard)
    assert heard[-1] == 100
    hub.asked.clear()
    assert await puller.pull("tiny") == 0
    assert hub.asked == [], "nothing is missing, so nobody is asked"


async def test_sizes_are_known_before_the_first_byte_comes(hub: FakeHub, tmp_path: Path) -> None:
    puller, _ = opened(hub, tmp_path)
    await puller.pull("tiny")
    first = next(number for number, asked in enumerate(hub.asked) if asked.startswith("GET"))
    assert {asked.rpartition("/")[2] for asked in hub.asked[:first]} == {"a.safetensors", "b.safetensors"}


@pytest.mark.parametrize("checksums", ["known", "told by the hub"])
async def test_a_cut_download_goes_on_where_it_was(hub: FakeHub, tmp_path: Path, checksums: str) -> None:
    hub.cut_at = [4000]
    puller, store = opened(hub, tmp_path, known=checksums == "known")
    with pytest.raises(Unavailable) as fault:
        await puller.pull("tiny")
    assert fault.value.code in ("model_cut", "service_away")
    assert store.part_bytes("tiny") == 4000
    assert not store.is_here("tiny")
    assert await puller.pull("tiny") == WHOLE - 4000
    assert any(asked.endswith("a.safetensors bytes=4000-") for asked in hub.asked)
    assert (await store.get_files("tiny"))["a.safetensors"].read_bytes() == A
    assert not [name for name in names(store) if name.endswith(".part")]


async def test_a_server_that_knows_no_ranges_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_at, hub.knows_ranges = [4000], False
    puller, store = opened(hub, tmp_path)
    with pytest.raises(Unavailable):
        await puller.pull("tiny")
    assert await puller.pull("tiny") == WHOLE
    assert (await store.get_files("tiny"))["a.safetensors"].read_bytes() == A


async def test_a_refused_range_begins_anew(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut_at = [4000]
    puller, store = opened(hub, tmp_path)
    with pytest.raises(Unavailable):
        await puller.pull("tiny")
    hub.file_status = [416]
    assert await puller.pull("tiny") == WHOLE
    assert store.is_here("tiny")


async def test_what_lay_there_of_another_file_is_found_out_and_dropped(hub: FakeHub, tmp_path: Path) -> None:
    puller, store = opened(hub, tmp_path)
    (store.folder / "tiny").mkdir(parents=True)
    (store.folder / "tiny" / "a.safetensors.part").write_bytes(b"x" * 4000)
    with pytest.raises(Broken) as fault:
        await puller.pull("tiny")
    assert fault.value.code == "model_damaged"
    assert names(store) == []
    await puller.pull("tiny")
    assert (await store.get_files("tiny"))["a.safetensors"].read_bytes() == A


async def test_what_lay_there_and_is_too_long_is_begun_anew(hub: FakeHub, tmp_path: Path) -> None:
    puller, store = opened(hub, tmp_path)
    (store.folder / "tiny").mkdir(parents=True)
    (store.folder / "tiny" / "a.safetensors.part").write_bytes(A + b"more")
    assert await puller.pull("tiny") == WHOLE
    assert (await store.get_files("tiny"))["a.safetensors"].read_bytes() == A


@pytest.mark.parametrize(
    ("change", "code", "kind"),
    [
        ({"wrong": bytes(len(A))}, "model_damaged", Broken),
        ({"wrong": bytes(len(A) + 100)}, "model_damaged", Broken),
        ({"tag": "0" * 64}, "model_changed", Broken),
        ({"status": 404}, "not_on_hub", Broken),
        ({"status": 401}, "not_on_hub", Broken),
        ({"status": 500}, "hub_away", Unavailable),
        ({"status": 429}, "hub_away", Unavailable),
        ({"file_status": [403]}, "not_on_hub", Broken),
        ({"file_status": [503]}, "hub_away", Unavailable),
        ({"foreign": "http://evil.example"}, "host_not_allowed", Broken),
        ({"foreign": "http://127.0.0.2"}, "host_not_allowed", Broken),
        ({"files": {}}, "not_on_hub", Broken),
    ],
)
async def test_a_hub_that_fails_leaves_an_error_of_ours_and_no_file(
    hub: FakeHub, tmp_path: Path, change: dict[str, object], code: str, kind: type[SoundForgeError]
) -> None:
    for name, value in change.items():
        setattr(hub, name, value)
    puller, store = opened(hub, tmp_path)
    with pytest.raises(kind) as fault:
        await puller.pull("tiny")
    assert fault.value.code == code
    assert [name for name in names(store) if (store.folder / "tiny" / name).stat().st_size] == []
    assert not store.is_here("tiny")


async def test_a_hub_that_tells_no_checksum_serves_only_what_the_table_knows(hub: FakeHub, tmp_path: Path) -> None:
    hub.tells_linked = False
    puller, _ = opened(hub, tmp_path / "unknown", known=False)
    with pytest.raises(Broken) as fault:
        await puller.pull("tiny")
    assert fault.value.code == "hub_garbage"
    puller, store = opened(hub, tmp_path / "known")
    await puller.pull("tiny")
    assert await store.get_files("tiny")


async def test_the_checksum_that_the_hub_told_is_kept_and_counts_later(hub: FakeHub, tmp_path: Path) -> None:
    puller, store = opened(hub, tmp_path, known=False)
    await puller.pull("tiny")
    assert "a.safetensors.sha256" in names(store)
    (store.folder / "tiny" / "a.safetensors").write_bytes(b"x" * len(A))
    with pytest.raises(Broken) as fault:
        await store.get_files("tiny")
    assert fault.value.code == "model_damaged"


async def test_a_cancelled_pull_keeps_what_came_and_lets_go_of_it(hub: FakeHub, tmp_path: Path) -> None:
    hub.gate = threading.Event()
    puller, store = opened(hub, tmp_path)
    begun = asyncio.Event()

    def hear(percent: float, _stage: str) -> None:
        if percent:
            begun.set()

    task = asyncio.create_task(puller.pull("tiny", on_progress=hear))
    await asyncio.wait_for(begun.wait(), 20)
    with pytest.raises(Unavailable) as busy:
        await ModelHub(hub.address, store).pull("tiny")
    assert busy.value.code == "model_busy"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hub.gate.set()
    assert store.part_bytes("tiny") == 1000
    assert await puller.pull("tiny") == WHOLE - 1000
    assert store.remove("tiny") == WHOLE


async def test_a_disk_without_room_is_said_before_anything_is_asked_for(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundforge.engines._hub._SPARE_BYTES", 1 << 60)
    puller, store = opened(hub, tmp_path)
    with pytest.raises(Unavailable) as fault:
        await puller.pull("tiny")
    assert fault.value.code == "disk_full"
    assert not any(asked.startswith("GET") for asked in hub.asked)
    assert not store.folder.exists()


def test_a_disk_that_fills_up_meanwhile_is_told_from_a_bug() -> None:
    with pytest.raises(Unavailable) as fault, _room():
        raise OSError(errno.ENOSPC, "full")
    assert fault.value.code == "disk_full"
    with pytest.raises(PermissionError), _room():
        raise PermissionError(errno.EACCES, "no")


async def test_an_unknown_model_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    puller, store = opened(hub, tmp_path)
    with pytest.raises(Invalid):
        await puller.pull("../tiny")
    with pytest.raises(Conflict):
        store.remove("tiny")


@pytest.mark.parametrize("where", ["https://us.aws.cdn.hf.co", "https://cas-bridge.xethub.hf.co"])
async def test_the_hub_itself_may_send_to_its_own_stores_and_to_nobody_else(tmp_path: Path, where: str) -> None:
    asked: list[str] = []
    content = b"weights"

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(f"{request.method} {request.url.host}{request.url.path}")
        if request.url.host != "huggingface.co":
            return httpx2.Response(200, content=in_pieces(content))
        linked = {
            "x-linked-size": "7",
            "x-linked-etag": f'"{sha256(content)}"',
            "location": f"{where}/blob?Signature=x",
        }
        return httpx2.Response(302, headers=linked)

    store = ModelStore(tmp_path, models=MODELS)
    hub = ModelHub("https://huggingface.co", store, transport=httpx2.MockTransport(answer))
    await hub.pull("mdx_extra")
    assert asked[0] == "HEAD huggingface.co/adefossez/Demucs-mdx_extra/resolve/main/e51eebcc.safetensors"
    assert len(await store.get_files("mdx_extra")) == 4
    with pytest.raises(Broken) as fault:
        await hub.pull("htdemucs")
    assert fault.value.code == "model_changed", "seven bytes are not the model that the table knows"


async def test_the_hub_may_not_send_elsewhere(tmp_path: Path) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        linked = {"x-linked-size": "7", "x-linked-etag": "0" * 64, "location": "https://hf.co.evil.example/x"}
        return httpx2.Response(302, headers=linked)

    hub = ModelHub("https://huggingface.co", ModelStore(tmp_path), transport=httpx2.MockTransport(answer))
    with pytest.raises(Broken) as fault:
        await hub.pull("mdx_extra")
    assert fault.value.code == "host_not_allowed"

"""What goes with a track: by sound among the owner's own, by key and tempo as a DJ mixes."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import event

from soundforge import library, views
from soundforge.db import Database, reading, transaction
from soundforge.errors import NotFound
from soundforge.library import Figures, NewEmbedding, Query
from soundforge.tables import Track
from soundforge.views import Near
from tests.support.factories import add_song
from tests.support.jobs import add_user


@pytest.fixture
async def owner_id(database: Database) -> UUID:
    return await add_user("owner")


async def add_heard(owner_id: UUID, title: str, values: Sequence[float], stem: str = "", name: str = "v") -> Track:
    async with transaction() as session:
        track = await add_song(session, owner_id, title)
        await library.add_embeddings(session, owner_id, track.id, [NewEmbedding(name, values, stem)])
    return track


async def add_played(owner_id: UUID, title: str, bpm: float | None, camelot: str | None) -> Track:
    async with transaction() as session:
        track = await add_song(session, owner_id, title)
        await library.set_figures(session, owner_id, track.id, Figures(bpm, "", camelot))
    return track


async def alike(owner_id: UUID, track: Track, stem: str = "") -> list[UUID]:
    async with reading() as session:
        return [one.track_id for one in await views.list_alike(session, owner_id, track.id, stem=stem)]


async def test_the_most_alike_come_first_whatever_the_scale_of_a_number(owner_id: UUID) -> None:
    song = await add_heard(owner_id, "song", [1, 1000, 5])
    far = await add_heard(owner_id, "far", [-1, -1000, 5])
    near = await add_heard(owner_id, "near", [1, 900, 5])
    middle = await add_heard(owner_id, "middle", [1, -900, 5])
    assert await alike(owner_id, song) == [near.id, middle.id, far.id]


async def test_only_vectors_of_the_same_owner_name_stem_and_length_compare(owner_id: UUID) -> None:
    song = await add_heard(owner_id, "song", [1, 2])
    same = await add_heard(owner_id, "same", [1, 3])
    await add_heard(await add_user("another"), "another's", [1, 2])
    await add_heard(owner_id, "another stem", [1, 2], stem="drums")
    await add_heard(owner_id, "another way", [1, 2], name="w")
    await add_heard(owner_id, "another length", [1, 2, 3])
    assert await alike(owner_id, song) == [same.id]
    assert await alike(owner_id, song, "drums") == []


async def test_a_stem_is_compared_with_stems(owner_id: UUID) -> None:
    song, other = [await add_heard(owner_id, title, [1, 2], stem="drums") for title in ("song", "other")]
    assert await alike(owner_id, song, "drums") == [other.id]
    assert await alike(owner_id, song) == []


async def test_a_vector_that_is_replaced_counts_at_once(owner_id: UUID) -> None:
    song = await add_heard(owner_id, "song", [1, 1, 0])
    one = await add_heard(owner_id, "one", [1, 0.9, 0])
    two = await add_heard(owner_id, "two", [-1, -1, 0])
    assert await alike(owner_id, song) == [one.id, two.id]
    async with transaction() as session:
        await library.add_embeddings(session, owner_id, one.id, [NewEmbedding("v", [-2, -2, 0])])
        await library.add_embeddings(session, owner_id, two.id, [NewEmbedding("v", [1, 1, 0])])
    assert await alike(owner_id, song) == [two.id, one.id]


async def test_vectors_are_read_once_and_again_when_one_changed(owner_id: UUID, database: Database) -> None:
    song = await add_heard(owner_id, "song", [1, 1])
    reads: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "array_send" in statement:
            reads.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    await alike(owner_id, song)
    once = len(reads)
    await alike(owner_id, song)
    assert len(reads) == once > 0
    await add_heard(owner_id, "new", [1, 2])
    assert len(await alike(owner_id, song)) == 1
    assert len(reads) == 2 * once


async def test_more_vectors_than_are_read_at_once_all_count(owner_id: UUID) -> None:
    song = await add_heard(owner_id, "song", np.ones(8).tolist())
    tracks = [song]
    async with transaction() as session:
        vectors = np.random.default_rng(1).standard_normal((60, 8))
        for number, vector in enumerate(vectors):
            track = await add_song(session, owner_id, f"song {number}")
            await library.add_embeddings(session, owner_id, track.id, [NewEmbedding("v", vector.tolist())])
            tracks.append(track)
    every = np.vstack([np.ones(8), vectors]).astype(np.float32)
    scaled = (every - every.mean(0)) / every.std(0)
    cosines = scaled @ scaled[0] / np.linalg.norm(scaled, axis=1)
    expected = [tracks[i].id for i in np.argsort(-cosines) if i]
    assert await alike(owner_id, song) == expected


async def test_a_library_of_one_has_nothing_alike_and_a_stranger_is_not_found(owner_id: UUID) -> None:
    song = await add_heard(owner_id, "song", [1, 2])
    assert await alike(owner_id, song) == []
    stranger = await add_user("stranger")
    for kind in ("like", "mixes"):
        with pytest.raises(NotFound):
            async with reading() as session:
                await views.list_neighbours(session, stranger, Near(kind, song.id))


async def test_what_mixes_is_next_on_the_wheel_and_as_near_in_tempo_as_a_deck_can_bridge(owner_id: UUID) -> None:
    song = await add_played(owner_id, "song", 128.0, "8A")
    fits = {"same": (128.0, "8A"), "up": (126.0, "9A"), "half": (62.0, "7A"), "twice": (250.0, "8B")}
    for title, (bpm, camelot) in fits.items():
        await add_played(owner_id, title, bpm, camelot)
    for bpm, camelot in ((136.0, "8A"), (128.0, "10A"), (128.0, "9B"), (None, "8A"), (128.0, None), (96.0, "8A")):
        await add_played(owner_id, f"no {bpm} {camelot}", bpm, camelot)
    await add_played(await add_user("another"), "another's", 128.0, "8A")
    async with reading() as session:
        found = await views.list_neighbours(session, owner_id, Near("mixes", song.id))
    assert [(one.track.title, one.relation) for one in found] == [
        ("same", "same key"),
        ("up", "a fifth up"),
        ("twice", "relative major"),
        ("half", "a fifth down"),
    ]
    changes = [one.tempo_change for one in found]
    assert changes == pytest.approx([0.0, 100 * (128 / 126 - 1), 100 * (256 / 250 - 1), 100 * (64 / 62 - 1)], abs=1e-6)


async def test_without_a_key_the_tempo_alone_decides_and_without_a_tempo_nothing_mixes(owner_id: UUID) -> None:
    keyless = await add_played(owner_id, "keyless", 128.0, None)
    silent = await add_played(owner_id, "silent", None, "8A")
    await add_played(owner_id, "any key", 129.0, "3B")
    async with reading() as session:
        mixing = await views.list_neighbours(session, owner_id, Near("mixes", keyless.id))
        assert [one.track.title for one in mixing] == ["any key"]
        assert await views.list_neighbours(session, owner_id, Near("mixes", silent.id)) == []


@pytest.mark.parametrize("kind", ["like", "mixes"])
async def test_neighbours_are_read_by_key_without_a_gap_and_keep_their_order(owner_id: UUID, kind: str) -> None:
    song = await add_heard(owner_id, "song", [1.0, 1.0])
    async with transaction() as session:
        await library.set_figures(session, owner_id, song.id, Figures(128.0, "", "8A"))
        for number in range(25):
            track = await add_song(session, owner_id, f"song {number}")
            await library.set_figures(session, owner_id, track.id, Figures(124.0 + number % 7, "", "8A"))
            await library.add_embeddings(session, owner_id, track.id, [NewEmbedding("v", [number, 3.0 * (number % 5)])])
    near, query = Near(kind, song.id), Query(sort="near", descending=False)
    async with reading() as session:
        whole = await views.get_library_page(session, owner_id, query, near=near)
        ids: list[UUID] = []
        after = None
        while after or not ids:
            page = await views.get_library_page(session, owner_id, query, near=near, after=after, limit=7)
            ids += [row.id for row in page.rows]
            after = page.next
    assert ids == [row.id for row in whole.rows]
    assert len(ids) == 25
    assert whole.total == 25
    assert whole.near is not None
    assert (whole.near.title, page.near) == ("song", None)

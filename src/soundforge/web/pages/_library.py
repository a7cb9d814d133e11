"""The library and the track on its stage: one layout, so that choosing a row changes the stage alone."""

import re
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from soundforge import accounts, library, pipeline, views
from soundforge.db import reading, transaction
from soundforge.errors import Invalid, NotFound
from soundforge.views import LibraryPage, Near, TrackView
from soundforge.web._access import Visitor, VisitorOf
from soundforge.web._render import page, render
from soundforge.web._studio import studio_of

router = APIRouter(include_in_schema=False)

# The head of a column: its text, and what it sorts by.
HEADS = {
    "bpm": ("BPM", "bpm"),
    "key": ("Key", "key"),
    "time": ("Time", "duration"),
    "album": ("Album", "album"),
    "year": ("Year", "year"),
    "loudness": ("LUFS", "loudness"),
    "added": ("Added", "created"),
    "stems": ("Stems", ""),
}
CHIPS = (
    *(("has:stems", "Stems"), ("-has:stems", "No stems"), ("-has:analysis", "Not analysed"), ("is:failed", "Failed")),
    *(("is:doubtful", "Check me"), ("added:7d", "New")),
)
PAGE_ROWS = 100
LONGEST_SEARCH = 400
_LOCAL = re.compile(r"/(?![/\\]).*")


class Shown:
    """What the address says of the library: search, sort, direction."""

    def __init__(
        self,
        q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
        sort: str = "created",
        dir: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",  # noqa: A002 - the word in the address
        like: UUID | None = None,
        stem: Annotated[str, Query(max_length=40)] = "",
        mixes: UUID | None = None,
        columns: Annotated[str, Query(max_length=200)] = "",
    ) -> None:
        """Read the address."""
        named = tuple(name for name in accounts.COLUMNS if name in columns.split(","))
        self.columns = named if columns else accounts.USUAL_COLUMNS
        self.near = Near("like", like, stem) if like else Near("mixes", mixes) if mixes else None
        self.query = library.Query(search=q.strip(), sort=sort, descending=dir == "desc")

    def address(self, path: str = "/", **more: str) -> str:
        """An address that shows the same."""
        query = self.query
        near = {self.near.kind: str(self.near.track_id), "stem": self.near.stem} if self.near else {}
        values = {**near, "q": query.search, "sort": query.sort, "dir": "desc" if query.descending else "asc", **more}
        plain = {"stem": "", "q": "", "sort": "created", "dir": "desc", "columns": ",".join(accounts.USUAL_COLUMNS)}
        said = {name: value for name, value in values.items() if value != plain.get(name)}
        return f"{path}?{urlencode(said)}" if said else path

    def rows_address(self, **more: str) -> str:
        """An address of rows that have the same columns."""
        return self.address("/library/rows", columns=_joined(self.columns), **more)

    def heads(self) -> list[tuple[str, str, str, str]]:
        """The head of the list: name, text, address that sorts by it, how it is sorted now; title and artist first."""
        shown = [("title", "Title", "title"), ("artist", "Artist", "artist")]
        shown += [(name, *HEADS[name]) for name in self.columns]
        return [(name, text, self._sorted_by(by) if by else "", self._direction(by)) for name, text, by in shown]

    def _sorted_by(self, by: str) -> str:
        turned = "desc" if by == self.query.sort and not self.query.descending else "asc"
        return self.address(sort=by, dir=turned)

    def _direction(self, by: str) -> str:
        if by != self.query.sort:
            return ""
        return "descending" if self.query.descending else "ascending"


class SeparationForm(BaseModel):
    """What the dialog of a separation says.

    ``parts`` is a stem and the rest, or empty for all stems; ``stems`` only some. ``overlap`` and ``shifts`` count
    instead of those of the ``quality``.
    """

    model: str = Field(default="auto", max_length=60)
    parts: str = Field(default="", max_length=60)
    stems: tuple[str, ...] = Field(default=(), max_length=10)
    quality: str = Field(default="usual", pattern="^(usual|fast|fine)$")
    start: str = Field(default="", pattern=r"^(\d{1,6}(\.\d+)?)?$")
    stop: str = Field(default="", pattern=r"^(\d{1,6}(\.\d+)?)?$")
    overlap: str = Field(default="", pattern=r"^(\d(\.\d+)?)?$")
    shifts: str = Field(default="", pattern=r"^\d{0,2}$")
    precision: str = Field(default="float32", max_length=20)
    raw: bool = False

    def options(self) -> pipeline.SeparateOptions:
        """The options as the pipeline takes them; raises Invalid (``unknown_option``)."""
        if self.start and not self.stop:
            sentence = "Say where the part ends, too."
            raise Invalid(sentence, code="unknown_option", fields={"region_s": sentence})
        own = {"overlap": float(self.overlap)} if self.overlap else {}
        own |= {"shifts": int(self.shifts)} if self.shifts else {}
        return pipeline.SeparateOptions(
            stems=self.stems,
            two_stem=self.parts,
            raw=self.raw,
            region_s=(float(self.start or 0), float(self.stop)) if self.stop else None,
            precision=self.precision,
            **{**pipeline.QUALITIES[self.quality], **own},
        )


ShownOf = Annotated[Shown, Depends()]


@router.get("/")
async def library_page(request: Request, visitor: VisitorOf, shown: ShownOf) -> HTMLResponse:
    """The library with an empty stage."""
    return await _workspace(request, visitor, shown, None)


@router.get("/tracks/{track_id}")
async def track_page(
    request: Request, visitor: VisitorOf, track_id: UUID, shown: ShownOf, stems: UUID | None = None
) -> HTMLResponse:
    """The library with one track on the stage; ``stems``: the separation whose stems play, else the one last chosen."""
    return await _workspace(request, visitor, shown, track_id, stems)


@router.get("/library/rows")
async def library_rows(
    request: Request, visitor: VisitorOf, shown: ShownOf, after: str = "", until: str = ""
) -> HTMLResponse:
    """One page of rows and the sentinel of the next; with ``until`` exactly the rows of a page shown before."""

    async def rows() -> str:
        places = {"after": after or None, "until": until or None}
        async with reading() as session:
            found = await views.get_library_page(
                session, visitor.id, shown.query, **places, limit=PAGE_ROWS, near=shown.near
            )
        return render("pages/_rows.html", library=found, shown=shown, after=after, until=until, selected=None)

    asked = ("rows", visitor.id, request.url.query)
    return HTMLResponse(await studio_of(request).together.share(asked, rows))


@router.get("/library/count")
async def count(visitor: VisitorOf, shown: ShownOf) -> dict[str, int]:
    """How many tracks the search finds now: asked when all of them are chosen."""
    async with reading() as session:
        query = await views.get_query_near(session, visitor.id, shown.query, shown.near)
        return {"count": await library.count_tracks(session, visitor.id, query)}


@router.post("/library/columns")
async def choose_columns(
    visitor: VisitorOf,
    column: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    back: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Remember which columns the visitor wants to see; back to where they were."""
    async with transaction() as session:
        await accounts.change_setting(session, visitor.id, "library_columns", ",".join(column))
    return RedirectResponse(back if _LOCAL.fullmatch(back) else "/", 303)


@router.get("/tracks/{track_id}/stage")
async def stage(request: Request, visitor: VisitorOf, track_id: UUID, stems: UUID | None = None) -> HTMLResponse:
    """The stage alone, asked for when results came or a page may have missed some; empty where the track is gone."""
    async with reading() as session:
        try:
            track = await views.get_track_view(session, visitor.id, track_id)
        except NotFound:
            return page(request, "pages/_stage.html", 404, track=None, gone=track_id)
        choices = await _choices(session, visitor)
        stems = stems or await views.find_chosen_stems(session, visitor.id, track_id)
    return page(request, "pages/_stage.html", track=track, stems_job=stems, **choices)


@router.post("/tracks/{track_id}")
async def change_track(
    request: Request,
    visitor: VisitorOf,
    track_id: UUID,
    title: Annotated[str, Form()],
    artist: Annotated[str, Form()] = "",
    album: Annotated[str, Form()] = "",
) -> HTMLResponse:
    """Correct title, artist, album; a refused form comes back with what is wrong."""
    words = {"title": title, "artist": artist, "album": album}
    try:
        async with transaction() as session:
            await library.change_track(session, visitor.id, track_id, **words)
    except Invalid as error:
        return page(request, "pages/_edit.html", 422, track_id=track_id, words=words, errors=error.fields, done=False)
    answer = page(request, "pages/_edit.html", track_id=track_id, words=words, errors={}, done=True)
    answer.headers["HX-Trigger"] = "sf:done"
    return answer


@router.post("/tracks/{track_id}/delete")
async def remove_track(request: Request, visitor: VisitorOf, track_id: UUID) -> HTMLResponse:
    """Take the track out of the library; the answer offers to bring it back."""
    async with transaction() as session:
        track = await library.remove_track(session, visitor.id, track_id)
    return page(request, "pages/_removed.html", track_id=track_id, title=track.title)


@router.post("/tracks/{track_id}/restore")
async def restore_track(request: Request, visitor: VisitorOf, track_id: UUID) -> HTMLResponse:
    """Bring a deleted track back."""
    async with transaction() as session:
        track = await library.restore_track(session, visitor.id, track_id)
    return page(request, "pages/_restored.html", track_id=track_id, title=track.title)


@router.post("/tracks/{track_id}/separate")
async def separate(
    request: Request, visitor: VisitorOf, track_id: UUID, asked: Annotated[SeparationForm, Form()]
) -> HTMLResponse:
    """Ask for stems; a refused form comes back with what is wrong."""
    try:
        options = pipeline.check_options(asked.model, asked.options())
        async with transaction() as session:
            await pipeline.request_separation(session, visitor.id, track_id, model=asked.model, options=options)
    except Invalid as error:
        async with reading() as session:
            choices = await _choices(session, visitor)
        words = {**choices, "asked": asked, "errors": error.fields or {"model": error.sentence}}
        return page(request, "pages/_separate.html", 422, track_id=track_id, done=False, **words)
    async with reading() as session:
        choices = await _choices(session, visitor)
    answer = page(request, "pages/_separate.html", track_id=track_id, done=True, **choices)
    answer.headers["HX-Trigger"] = "sf:done"
    return answer


@router.post("/tracks/{track_id}/analyze")
async def analyze(request: Request, visitor: VisitorOf, track_id: UUID) -> HTMLResponse:
    """Ask for an analysis."""
    async with transaction() as session:
        await pipeline.request_analysis(session, visitor.id, track_id)
    return page(request, "pages/_asked.html", text="Analysis asked for.")


@router.post("/tracks/{track_id}/export")
async def export(
    request: Request, visitor: VisitorOf, track_id: UUID, stems_job: Annotated[UUID, Form()]
) -> HTMLResponse:
    """Ask for one zip of all stems."""
    async with transaction() as session:
        await pipeline.request_export(session, visitor.id, track_id, stems_job_id=stems_job)
    return page(request, "pages/_asked.html", text="The zip is being packed; it shows here when it is ready.")


async def usual_separation(session: AsyncSession, visitor: Visitor) -> SeparationForm:
    """A separation as the visitor's settings want it."""
    model = await accounts.get_setting(session, visitor.id, "default_model")
    quality = await accounts.get_setting(session, visitor.id, "quality")
    return SeparationForm(model=str(model), quality=str(quality))


async def _choices(session: AsyncSession, visitor: Visitor) -> dict[str, Any]:
    """What the dialog of a separation offers: models, stems and formats that could be, and how it stands at first."""
    models = pipeline.list_choices()
    return {
        "models": models,
        "separable": list(dict.fromkeys(stem for one in models for stem in one.stems)),
        "precisions": list(dict.fromkeys(name for one in models for name in one.precisions)),
        "asked": await usual_separation(session, visitor),
        "errors": {},
    }


async def _columns(session: AsyncSession, visitor: Visitor) -> tuple[str, ...]:
    names = str(await accounts.get_setting(session, visitor.id, "library_columns")).split(",")
    return tuple(name for name in names if name)


def _joined(columns: tuple[str, ...]) -> str:
    """Columns as an address says them; saying nothing would mean the usual ones."""
    return ",".join(columns) or "none"


async def _found(session: AsyncSession, visitor: Visitor, shown: Shown) -> tuple[LibraryPage, str]:
    """The first page of what is asked for, or none and why not: a search that is not understood is no broken page."""
    try:
        return await views.get_library_page(session, visitor.id, shown.query, limit=PAGE_ROWS, near=shown.near), ""
    except Invalid as error:
        if error.code != "bad_search":
            raise
        return LibraryPage((), None, 0), error.sentence


async def _workspace(
    request: Request, visitor: Visitor, shown: Shown, track_id: UUID | None, stems: UUID | None = None
) -> HTMLResponse:
    place = studio_of(request).listener.recent.place()  # before the snapshot: nothing falls between the two
    async with reading() as session:
        shown.columns = await _columns(session, visitor)
        found, refusal = await _found(session, visitor, shown)
        track: TrackView | None = await views.get_track_view(session, visitor.id, track_id) if track_id else None
        choices = await _choices(session, visitor) if track_id else {}
        if track_id and stems is None:
            stems = await views.find_chosen_stems(session, visitor.id, track_id)
    return page(
        request,
        "pages/library.html",
        422 if refusal else 200,
        here="library",
        query=shown.query.search,
        library=found,
        shown=shown,
        after="",
        until="",
        track=track,
        stems_job=stems,
        refusal=refusal,
        CHIPS=CHIPS,
        HEADS=HEADS,
        feed_url="/events/page"
        if refusal
        else shown.address("/events/library", place=place, columns=_joined(shown.columns)),
        **choices,
    )

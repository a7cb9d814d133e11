"""Following jobs from a command: what is shown of them."""

from dataclasses import fields
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from rich.console import Console

from soundforge.cli._follow import Show
from soundforge.views import JobView


def view(progress: int, job_id: UUID, title: str = "A song") -> JobView:
    shown: dict[str, Any] = dict.fromkeys(field.name for field in fields(JobView))
    shown |= {"id": job_id, "kind": "analysis", "title": title, "status": "processing", "progress": progress}
    return JobView(**shown)


def test_a_job_has_one_bar_on_a_terminal_however_often_it_moves() -> None:
    show, job_id, other_id = Show(to=Console(file=StringIO(), force_terminal=True)), uuid4(), uuid4()
    with show.on_terminal():
        for progress in (0, 20, 40, 60, 80):
            show.update([view(progress, job_id), view(0, other_id)])
    assert show.bars is not None
    assert [(bar.description, bar.completed) for bar in show.bars.tasks] == [
        ("analysis   A song", 80),
        ("analysis   A song", 0),
    ]


@pytest.mark.parametrize("title", ["Tide [live] new", "Tide [/b] new"])
def test_a_title_on_a_bar_is_no_markup(title: str) -> None:
    to = Console(file=StringIO(), force_terminal=True, width=120)
    show = Show(to=to)
    with show.on_terminal():
        show.update([view(20, uuid4(), title)])
    assert isinstance(to.file, StringIO)
    assert f"analysis   {title}" in to.file.getvalue()

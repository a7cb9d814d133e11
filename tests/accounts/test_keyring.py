"""The key file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from soundforge.accounts import open_keyring
from soundforge.errors import Broken


def test_what_was_sealed_is_unsealed_after_a_restart(tmp_path: Path) -> None:
    sealed = open_keyring(tmp_path / "new" / "secret.key").seal("hüsh")
    assert "hüsh" not in sealed
    assert open_keyring(tmp_path / "new" / "secret.key").unseal(sealed) == "hüsh"


def test_the_key_is_for_this_account_alone_and_leaves_no_draft(tmp_path: Path) -> None:
    open_keyring(tmp_path / "secret.key")
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_with_another_key_a_secret_cannot_be_read(tmp_path: Path) -> None:
    sealed = open_keyring(tmp_path / "one").seal("hush")
    with pytest.raises(Broken) as broken:
        open_keyring(tmp_path / "two").unseal(sealed)
    assert broken.value.code == "secret_unreadable"


def test_a_damaged_key_file_is_told_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("garbage")
    with pytest.raises(Broken) as broken:
        open_keyring(tmp_path / "secret.key")
    assert broken.value.code == "bad_key_file"
    assert (tmp_path / "secret.key").read_text() == "garbage"


def test_of_processes_that_start_at_once_all_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keyrings = [*threads.map(lambda _: open_keyring(tmp_path / "secret.key"), range(8))]
    assert {keyring.unseal(keyrings[0].seal("x")) for keyring in keyrings} == {"x"}

"""Rules about the desk on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from desk_builders import MESSAGE, SOUND, a_desk
from heliograph_cli.authoring.commands import build, lint, preview
from heliograph_cli.authoring.preview import write


def run(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]  # a command


def test_a_sound_desk_passes_the_linter(tmp_path: Path) -> None:
    result = run(lint, "--templates", a_desk(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "Nothing to correct.\n")


def test_findings_end_the_linter_with_1_and_say_where(tmp_path: Path) -> None:
    result = run(lint, "--templates", a_desk(tmp_path, {"messages/hello/sms.txt": None}))
    assert result.exit_code == 1
    assert "messages/hello/sms.txt: The text of the sms is missing. Add the file." in result.stderr
    assert "1 thing to correct." in result.stderr


def test_warnings_do_not_fail_the_linter(tmp_path: Path) -> None:
    result = run(lint, "--templates", a_desk(tmp_path, {"messages/hello/email.preview.txt": None}))
    assert result.exit_code == 0
    assert "warning: messages/hello/email.preview.txt" in result.stderr


def test_findings_come_as_json_for_machines(tmp_path: Path) -> None:
    result = run(lint, "--json", "--templates", a_desk(tmp_path, {"messages/hello/sms.txt": "{{ nope }}"}))
    [finding] = [found for found in json.loads(result.stdout)["findings"] if not found["warning"]]
    assert (finding["file"], finding["line"]) == ("messages/hello/sms.txt", 1)


def test_a_build_says_what_it_built(tmp_path: Path) -> None:
    target = tmp_path / "build/templates"
    result = run(build, "--templates", a_desk(tmp_path / "templates"), "--to", target)
    assert result.stdout == f"Compiled 1 message to {target}.\n"
    assert (tmp_path / "build/triggers.yaml").is_file()


def test_a_build_with_mistakes_ends_with_1_and_lists_them(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates", {MESSAGE: SOUND[MESSAGE] + 'colour = "red"'})
    result = run(build, "--templates", desk, "--to", tmp_path / "build/templates")
    assert result.exit_code == 1
    assert "colour is not a field that we know" in result.stderr


def test_a_preview_shows_one_message_when_asked(tmp_path: Path) -> None:
    desk = a_desk(tmp_path / "templates")
    result = run(preview, "--json", "--templates", desk, "--to", tmp_path / "preview", "--message", "hello")
    assert json.loads(result.stdout)["messages"] == ["hello"]


def test_a_preview_of_a_message_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    result = run(preview, "--templates", a_desk(tmp_path / "t"), "--to", tmp_path / "preview", "--message", "helo")
    assert result.exit_code == 1
    assert "Messages are: hello." in result.stderr


def test_a_preview_needs_no_network(tmp_path: Path) -> None:
    write(a_desk(tmp_path / "templates"), tmp_path / "preview")
    page = (tmp_path / "preview/index.html").read_text()
    assert not any(tag in page for tag in ("<link", "src=", "@import", "url("))


def test_a_preview_shows_the_logo_from_its_file(tmp_path: Path) -> None:
    logo = '[logo]\nurl = "https://acme.example.com/l.png"\nfile = "l.png"\nalt = "Acme"\nwidth = 90\nheight = 30\n'
    brand = SOUND["brand/brand.toml"].replace("[colours]", f"{logo}[colours]")
    layout = SOUND["layouts/email.html"].replace(
        "<body>", '<body><img src="{{ brand.logo.url }}" alt="{{ brand.logo.alt }}">'
    )
    desk = a_desk(tmp_path / "templates", {"brand/brand.toml": brand, "layouts/email.html": layout})
    (desk / "brand/l.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    write(desk, tmp_path / "preview")
    assert "data:image/png;base64,iVBORw0KGgo=" in (tmp_path / "preview/index.html").read_text()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x>'])
def test_a_preview_never_runs_what_a_sample_holds(tmp_path: Path, text: str) -> None:
    sample = json.dumps({"recipient": {"name": text}, "data": {"url": "https://acme.example.com/a"}})
    write(a_desk(tmp_path / "templates", {"messages/hello/sample.json": sample}), tmp_path / "preview")
    page = (tmp_path / "preview/index.html").read_text()
    assert text not in page

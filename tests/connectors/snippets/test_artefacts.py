"""Every form of the settings is read back by a reader of that form, and says the same."""

import json
import plistlib
import re
import shlex
import subprocess
import uuid

import pytest

from connectors import snippets, tokens
from connectors.snippets import helper

SECRET = tokens.generate("ingest")
ENDPOINT = "https://otlp.acme.example"
ODD = {"env": {"A": 'it\'s "quoted" \\ 100% $HOME `x` <&> \u00fc'}}


def settings(level=snippets.USUAL):
    return json.loads(snippets.claude_code(ENDPOINT, SECRET, level=level))


def registry(text):
    """A reader of .reg files, version 5, as far as ours go: {key: {name: text}}."""
    header, *lines = text.splitlines()
    assert header == "Windows Registry Editor Version 5.00"
    keys, current = {}, None
    for line in filter(None, lines):
        if section := re.fullmatch(r"\[(.+)\]", line):
            current = keys.setdefault(section[1], {})
            continue
        name, value = re.fullmatch(r'"(\w+)"="((?:[^"\\]|\\["\\])*)"', line).groups()
        current[name] = re.sub(r"\\(.)", r"\1", value)
    return keys


@pytest.mark.parametrize("wanted", [*map(settings, snippets.LEVELS), ODD])
def test_the_profile_sets_the_managed_domain(wanted):
    made = snippets.profile(ENDPOINT, wanted)
    profile = plistlib.loads(made.text.encode())
    (payload,) = profile["PayloadContent"]
    assert (profile["PayloadType"], payload["PayloadType"]) == ("Configuration", "com.anthropic.claudecode")
    assert {key: value for key, value in payload.items() if not key.startswith("Payload")} == wanted
    identifiers = [profile["PayloadIdentifier"], payload["PayloadIdentifier"]]
    assert len(set(identifiers)) == 2
    uuids = [profile["PayloadUUID"], payload["PayloadUUID"]]
    assert all(str(uuid.UUID(each)).upper() == each for each in uuids)
    assert made.filename.endswith(".mobileconfig")


def test_the_profile_of_a_new_token_replaces_the_old_one():
    def identity(secret, endpoint=ENDPOINT):
        text = snippets.profile(endpoint, json.loads(snippets.claude_code(endpoint, secret))).text
        return re.findall(r"<key>Payload(?:UUID|Identifier)</key>\s*<string>(.*?)</string>", text)

    assert identity(SECRET) == identity(tokens.generate("ingest"))
    assert identity(SECRET) != identity(SECRET, "https://other.example")


@pytest.mark.parametrize("wanted", [*map(settings, snippets.LEVELS), ODD])
def test_the_registry_file_holds_the_settings_in_one_value(wanted):
    made = snippets.registry_file(wanted)
    keys = registry(made.text)
    assert list(keys) == [r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\ClaudeCode"]
    (values,) = keys.values()
    assert list(values) == ["Settings"]
    assert json.loads(values["Settings"]) == wanted
    assert made.text.isascii()
    assert (made.encoding, made.newline) == ("utf-16", "\r\n")


@pytest.mark.parametrize("wanted", [*map(settings, snippets.LEVELS), ODD])
def test_the_script_sets_the_same_value(wanted):
    text = snippets.registry_script(wanted).text
    value = re.search(r"-Value '((?:[^']|'')*)'", text)[1].replace("''", "'")
    assert json.loads(value) == wanted
    assert "'HKLM:\\SOFTWARE\\Policies\\ClaudeCode'" in text
    assert "-PropertyType String" in text


def test_a_shell_that_reads_the_lines_has_the_variables(tmp_path):
    wanted = {**snippets.environment(ENDPOINT, SECRET), **ODD["env"]}
    file = tmp_path / "lines.sh"
    file.write_text(snippets.shell(wanted).text)
    shown = subprocess.run(
        ["/bin/sh", "-c", f". {shlex.quote(str(file))} && env -0"], capture_output=True, check=True, env={}
    )
    seen = dict(line.split("=", 1) for line in shown.stdout.decode().split("\0") if line)
    assert wanted.items() <= seen.items()


def run_helper(tmp_path, token, **more):
    script = tmp_path / "otel-headers.sh"
    script.write_text(helper.scripts()[0].text)
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)
    (tmp_path / "token").write_text(token)
    variables = {"PATH": "/usr/bin:/bin", "AGENT_GOVERNANCE_TOKEN_FILE": str(tmp_path / "token"), **more}
    return subprocess.run(["/bin/sh", str(script)], capture_output=True, text=True, env=variables, check=False)


def test_the_helper_prints_the_header_as_json(tmp_path):
    done = run_helper(tmp_path, f"{SECRET}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize("token", ["", "\n", '"}, "x": "y', "two words", "$(id)"])
def test_the_helper_prints_nothing_but_a_token(tmp_path, token):
    done = run_helper(tmp_path, token)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no ingestion token" in done.stderr


def test_the_helper_asks_the_key_chain_when_there_is_no_file(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "security").write_text(
        f'#!/bin/sh\n[ "$*" = "find-generic-password -s agent-governance -w" ] && echo {SECRET}\n'
    )
    (folder / "security").chmod(0o755)
    done = run_helper(tmp_path, "", AGENT_GOVERNANCE_TOKEN_FILE=str(tmp_path / "none"), PATH=f"{folder}:/usr/bin:/bin")
    assert json.loads(done.stdout) == {"Authorization": f"Bearer {SECRET}"}


def test_settings_with_the_helper_hold_no_token_and_no_static_header():
    for made in helper.settings(snippets.environment(ENDPOINT, None)):
        scheme = json.loads(made.text)
        assert "OTEL_EXPORTER_OTLP_HEADERS" not in scheme["env"]
        assert scheme["env"]["OTEL_EXPORTER_OTLP_PROTOCOL"].startswith("http/")
        assert int(scheme["env"]["CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS"]) == 29 * 60 * 1000
        assert "otel-headers" in scheme["otelHeadersHelper"]
        assert "agp_ing_" not in made.text


def test_the_windows_helper_reads_the_file_its_settings_speak_of():
    _, script = helper.scripts()
    _, windows = helper.settings({})
    assert helper.WINDOWS_SCRIPT in json.loads(windows.text)["otelHeadersHelper"]
    assert helper.WINDOWS_TOKEN in script.text
    assert script.text.count("{") == script.text.count("}")

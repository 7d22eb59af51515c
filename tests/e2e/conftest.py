# SPDX-License-Identifier: Apache-2.0
"""conftest.py: one demo for all tests, and a check of its error log after each of them."""

import os
import re
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import command  # noqa: E402
import portal as parts  # noqa: E402
import walk as walking  # noqa: E402

# Levels of lines that report no fault; but httpd reports a child's crash in a notice.
QUIET = re.compile(
    r"^\[[^\]]*\] \[[^\]:]*:(notice|info|debug|trace\d)\](?!.* exit signal (?!Killed))"
)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "expects_log(*patterns): error-log lines that this test causes on purpose"
    )


@pytest.fixture(scope="session")
def make_portal():
    """Starts demos, each in a folder of its own; all are stopped at the end."""
    made, folders = [], []

    def make(*options, **environment):
        folder = tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp")
        os.chmod(folder, 0o755)
        folders.append(folder)
        made.append(parts.Portal(folder, None, *options, **environment))
        return made[-1]

    yield make
    for one in made:
        one.stop()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def portal(make_portal):
    return make_portal()


@pytest.fixture(scope="module")
def folder():
    """A folder that the user of httpd's children reaches."""
    made = tempfile.mkdtemp(prefix="mod_esign-test.", dir="/var/tmp")
    os.chmod(made, 0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium():
    """One Chromium for a module's tests, for `walk.fresh`."""
    with walking.chromium() as driver:
        yield driver


@pytest.fixture
def ctl(tmp_path):
    """esignctl with a key file and a database of its own, without httpd."""
    return command.Instance(tmp_path)


@pytest.fixture
def subscriber(portal):
    return portal.new_subscriber()


@pytest.fixture
def browser(portal):
    return portal.browser()


@pytest.fixture(autouse=True)
def clean_log(request):
    if "portal" not in request.fixturenames:
        yield
        return
    one = request.getfixturevalue("portal")
    one.new_log_lines()
    yield
    marker = request.node.get_closest_marker("expects_log")
    expected = [re.compile(p) for p in (marker.args if marker else ())]
    lines = [
        line
        for line in one.new_log_lines()
        if not QUIET.match(line) and not any(p.search(line) for p in expected)
    ]
    assert lines == []

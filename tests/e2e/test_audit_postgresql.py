# SPDX-License-Identifier: Apache-2.0
"""test_audit_postgresql.py: the audit trail again, on PostgreSQL."""

import pytest

from test_audit import *  # noqa: F403
from test_audit_chain import *  # noqa: F403


@pytest.fixture(scope="module")
def options():
    return "--database", "postgresql"

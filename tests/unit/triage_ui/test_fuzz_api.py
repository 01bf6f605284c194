"""The API against its own document: schemathesis makes requests from it, right and wrong ones.

They are the same each time. What is looked for: server errors, statuses, media types and bodies
that the document doesn't know, wrong requests that are taken, right ones that are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.support.advisors import NOTHING, GivenAdvisor, alike
from tests.support.cases import AT, LEAD
from tests.unit.triage_ui.serving import Served
from triage.model import VerdictKind
from triage.tokens import Tokens

pytestmark = pytest.mark.slow

EXAMPLES = 25
ENDLESS = "/api/v1/changes"  # a stream: it is tested by itself

BEYOND = {
    "POST /api/v1/clusters/{cluster_id}/verdicts": "members of this cluster; an end in the future",
    "POST /api/v1/clusters/{cluster_id}/split": "some of its members, and none twice",
    "POST /api/v1/clusters/{cluster_id}/merge": "another open cluster",
    "POST /api/v1/verdicts/{verdict_id}/dispute": "members of its cluster, and another kind",
    "POST /api/v1/views": "a name that is not blank",
    "POST /api/v1/rollbacks": "since lies before until",
    "POST /api/v1/truth": "a report names an event; printable ids",
    "POST /api/v1/truth/retract": "printable ids",
    "POST /api/v1/missed": "printable entities",
    "POST /api/v1/missed/take-back": "printable entities",
}
"""What these also ask of a body, which no schema can say: they may refuse what fits theirs."""

FUZZ = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Api:
    """A served board with something of everything, its document, and a lead's token."""

    def __init__(self, board: Served) -> None:
        clusters = [board.desk.cluster(2, str(number)) for number, _ in enumerate(VerdictKind)]
        decided = [
            board.desk.decide(cluster, kind)
            for cluster, kind in zip(clusters, VerdictKind, strict=True)
        ]
        self.known = {
            "cluster_id": board.desk.cluster(3, "open"),
            "verdict_id": decided[0].verdict_id,
            "stream": "payments",
        }
        self.url = board.url
        self.session = requests.Session()
        token = Tokens(board.store).add("fuzz", "lead", 1, LEAD, AT)
        self.headers = {"authorization": f"Bearer {token}"}
        answer = self.session.get(
            f"{self.url}/api/v1/openapi.json", headers=self.headers, timeout=20
        )
        document = answer.json()
        self.schema = schemathesis.openapi.from_dict(document)

    def operations(self) -> Iterator[Any]:
        for found in self.schema.get_all_operations():
            operation = cast(Ok[Any], found).ok()
            if operation.path != ENDLESS:
                yield operation

    def try_out(self, operation: Any, mode: GenerationMode, paths: Mapping[str, str]) -> None:
        excluded: list[CheckFunction] = [ignored_auth]  # it can't take the token off: see test_gate
        if operation.label in BEYOND:
            excluded.append(positive_data_acceptance)

        @FUZZ
        @given(case=operation.as_strategy(mode, path_parameters=dict(paths) or None))
        def call(case: Case[Any]) -> None:
            case.call_and_validate(
                base_url=self.url,
                session=self.session,
                headers=self.headers,
                excluded_checks=excluded,
                timeout=20,
            )

        call()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    load_all_checks()
    folder: Path = tmp_path_factory.mktemp("fuzz")
    board = Served(folder, lambda: AT)
    board.advisor = GivenAdvisor(replace(NOTHING, open=812, fall=143, alike=alike("a", "b")))
    board.start()
    yield Api(board)
    board.stop()
    board.store.close()


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_the_api_does_what_its_document_says(api: Api, mode: GenerationMode) -> None:
    failed = {}
    for operation in api.operations():
        try:
            api.try_out(operation, mode, {})
        except FailureGroup as error:
            failed[operation.label] = "\n".join(str(each)[:900] for each in error.exceptions)
    assert not failed, "\n\n".join(f"{label}: {error}" for label, error in failed.items())


def test_what_is_known_is_described_too(api: Api) -> None:
    for operation in api.operations():
        names = {parameter.name for parameter in operation.path_parameters}
        if names and names <= api.known.keys():
            paths = {name: api.known[name] for name in names}
            api.try_out(operation, GenerationMode.POSITIVE, paths)

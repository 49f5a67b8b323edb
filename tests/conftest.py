"""Options and settings for all tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the slow tests too")
    parser.addoption("--fuzz", type=int, default=300, help="so many mutated files in tests/fuzz")
    parser.addoption("--fuzz-seed", type=int, default=0, help="another seed, other files")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-slow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; run with --run-slow"))

"""Each text of the page has a row, and each row is whole."""

import re

from tests.support.page_texts import html_texts, script_texts, table


def test_all_texts_are_in_the_table():
    _, rows = table()
    known = {row[0] for row in rows}
    missing = [
        text
        for text in {*html_texts(), *script_texts()}
        if text not in known and re.sub(r" \([^()]*\)$", "", text) not in known
    ]
    assert missing == []


def test_rows_are_whole_and_needed():
    languages, rows = table()
    assert languages == ["en", "de", "fr", "es", "zh"]
    texts = {*html_texts(), *script_texts()}
    texts |= {re.sub(r" \([^()]*\)$", "", text) for text in texts}
    keys = [row[0] for row in rows]
    assert len(keys) == len(set(keys))
    for row in rows:
        assert len(row) == len(languages), row[0]
        assert all(row), row[0]
        assert row[0] in texts, row[0]
        for said in row[1:]:
            assert set(re.findall(r"{\w+}", said)) == set(re.findall(r"{\w+}", row[0])), said

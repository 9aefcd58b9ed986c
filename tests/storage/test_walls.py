"""Nothing that storage hands out leads to a connection, and every test runs on both databases."""

from __future__ import annotations

import ast
from pathlib import Path

from storage.outbox import Outbox

HERE = Path(__file__).parent

# All other tests run on SQLite and on PostgreSQL.
ONE_DATABASE = {
    "test_no_read_scans_all_incidents": "reads the plans of SQLite",
    "test_a_webhook_waits_for_no_change_that_began_after_it": "SQLite has one writer",
    "test_a_period_is_found_without_a_scan_of_older_incidents": "reads the plans of SQLite",
    "test_boards_of_open_incidents_do_not_read_closed_ones": "reads the plans of SQLite",
    "test_a_page_of_open_incidents_reads_no_ended_one": "reads the plans of SQLite",
    "test_sqlite_sorts_no_list": "reads the plans of SQLite",
    "test_postgresql_reads_no_growing_table_in_vain": "reads the plans of PostgreSQL",
    "test_postgresql_plans_no_prepared_statement_anew": "SQLite has no such mode",
    "test_sqlite_reads_a_card_without_its_notes": "reads the plans of SQLite",
    "test_postgresql_reads_a_card_without_its_notes": "reads the plans of PostgreSQL",
    "test_sqlite_finds_the_incidents_of_the_page_by_indexes": "reads the plans of SQLite",
    "test_postgresql_finds_the_incidents_of_the_page_by_indexes": "reads the plans of PostgreSQL",
    "test_no_step_of_the_outbox_scans_delivered_messages": "reads the plans of SQLite",
    "test_no_change_scans_sent_messages": "reads the plans of SQLite",
    "test_a_missing_file_is_not_created_by_reading": "PostgreSQL has no file",
    "test_marks_are_found_by_their_key": "reads the plans of SQLite",
    "TestFile": "reads the bytes of SQLite's file",
    "TestTogether": "SQLite commits waiting works together",
    "TestConnections": "SQLite has no connection that breaks",
    "test_a_card_is_not_claimed_before_the_commit_of_its_change": "SQLite has one writer",
    "test_no_worker_claims_a_text_during_its_withdrawal": "SQLite has one writer",
    "test_two_webhooks_that_are_added_at_once_keep_the_limit": "SQLite has one writer",
    "test_a_webhook_gets_events_if_another_ends_while_it_is_added": "SQLite has one writer",
}


def names(value):
    """The public attributes of ``value``, by name."""
    return {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}


def test_no_public_attribute_leads_to_sqlalchemy(store):
    def handed_out(view):
        return [
            name
            for name, value in names(view).items()
            if type(value).__module__.partition(".")[0] in {"sqlalchemy", "sqlite3", "psycopg"}
        ]

    assert handed_out(store) == []
    assert handed_out(Outbox(store)) == []
    assert store.read_now(handed_out) == []
    assert store.read_public_now(handed_out) == []
    assert store.write_now(handed_out) == []


def test_a_public_reader_has_no_read_of_responders(store):
    def reads(view):
        return set(names(view))

    assert store.read_public_now(reads) == {
        "components",
        "incident",
        "is_off",
        "history",
        "hook_facts",
        "hooked",
        "known_as",
        "newest",
        "numbered",
        "open_incidents",
        "page_facts",
        "page_version",
        "pages",
        "recent_incidents",
    }


def test_every_test_runs_on_both_databases_or_is_listed_with_a_reason():
    alone = [
        node.name
        for file in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and any("'kind'" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    assert sorted(alone) == sorted(ONE_DATABASE)

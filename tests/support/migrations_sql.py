"""`python -m tests.support.migrations_sql`: squawk reads the SQL of each new migration as PostgreSQL would run it. What
blocks a shop that is open is refused (.squawk.toml); exit 1."""

import os
import subprocess
import sys
import warnings
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQUAWK = Path(sys.executable).with_name("squawk")

# The last migrations that were not read yet: they ran on empty shops, and are never changed.
BEFORE = {"djkraph": "", "orders": "0002_search", "payments": "0007_words"}

# What squawk minds and a person has looked at: the migration, the rule, and why.
ACCEPTED = {
    # the indexes of the table that it makes
    "djkraph/0002_what_log_ins_remember": (
        "prefer-text-field",
        "require-lock-timeout",
        "require-statement-timeout",
    ),
    "payments/0010_refunds_in_parts": (
        "ban-drop-constraint",
    ),  # a wider one takes its place in the same transaction
    "orders/0005_money_in_parts": ("ban-drop-constraint",),  # as above
    # a column that is empty in every row is looked through in no time, and the book's own tables are as young as the
    # book: what would lock longer than a minute is given up, and run again
    "payments/0033_parts_are_placed": (
        "adding-foreign-key-constraint",
        "ban-drop-constraint",
        "prefer-text-field",
        "require-concurrent-index-creation",
    ),  # people's decisions: some thousands of rows at most
    "payments/0041_decisions_of_all_kinds": (
        "adding-foreign-key-constraint",
        "ban-drop-constraint",
        "changing-column-type",  # to a longer one: nothing is rewritten
        "prefer-bigint-over-int",
        "prefer-text-field",
        "require-concurrent-index-creation",
    ),  # as above
    "payments/0046_sent_back_by_order": (
        "ban-drop-constraint",  # wider ones take their places
        "prefer-text-field",
        "require-concurrent-index-creation",
        "prefer-bigint-over-int",
    ),
    # an index in place of an index, over lines that only a person's upload adds
    "payments/0017_taken_back": (
        "ban-drop-constraint",
        "disallowed-unique-constraint",
        "prefer-text-field",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
    ),
    "payments/0014_money_beside_prompts": (
        "adding-foreign-key-constraint",
        "constraint-missing-not-valid",
        "ban-drop-constraint",
        "ban-drop-not-null",
        "disallowed-unique-constraint",
        "prefer-text-field",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
    ),
}


def new_migrations() -> list[tuple[str, str]]:
    """(app, name), oldest first within an app."""
    return [
        (app, file.stem)
        for app, last in BEFORE.items()
        for file in sorted((ROOT / app / "migrations").glob("[0-9]*.py"))
        if file.stem > last
    ]


def sql_of(app: str, name: str) -> str:
    """Needs a connection to PostgreSQL, whatever is in it."""
    from django.core.management import call_command

    out = StringIO()
    call_command("sqlmigrate", app, name, stdout=out, no_color=True)
    return out.getvalue()


def read(sql: str, *, of: str) -> subprocess.CompletedProcess[str]:
    command = [
        SQUAWK,
        "--config",
        ROOT / ".squawk.toml",
        "--stdin-filepath",
        f"{of}.sql",
        "--reporter",
        "gcc",
        *(part for rule in ACCEPTED.get(of, ()) for part in ("--exclude", rule)),
    ]
    return subprocess.run(command, input=sql, capture_output=True, text=True)


def main() -> int:
    os.environ.update(TEST_DATABASE="postgres", DJANGO_SETTINGS_MODULE="tests.settings")
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
    import django

    django.setup()
    refused = 0
    for app, name in new_migrations():
        answer = read(sql_of(app, name), of=f"{app}/{name}")
        if answer.returncode:
            refused += 1
            print(answer.stdout + answer.stderr)
    print(f"{len(new_migrations())} new migrations read, {refused} refused.")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())

"""manage.py's commands one after the other in one process: a line of JSON in, a line of JSON out."""

import io
import json
import sys
import traceback

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection  # noqa: E402


def run(words: list[str]) -> tuple[int, str]:
    said, code = io.StringIO(), 0
    try:
        call_command(*words, stdout=said, stderr=said)
    except SystemExit as ended:
        code = int(ended.code or 0)
    except CommandError as refused:
        code = 1
        said.write(str(refused))
    except Exception:  # noqa: BLE001 — at a terminal it would be shown
        code = 1
        said.write(traceback.format_exc())
    finally:
        connection.close()
    return code, said.getvalue()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)

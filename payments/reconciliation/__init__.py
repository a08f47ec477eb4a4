"""The M-PESA portal's statement held against the ledger: taking a file in whole, and finding each line's payment. No
file is parsed here (statement_file/), and nothing is guessed: what is left is a person's (manual/)."""

from payments.reconciliation.beside import may_be_a_requests, order_meant
from payments.reconciliation.candidates import CLOCKS_DIFFER, requests_that_fit
from payments.reconciliation.erasing import erasable_lines
from payments.reconciliation.importing import (
    Imported,
    earlier,
    erase_old_files,
    import_file,
    kept_file,
    read_file,
)
from payments.reconciliation.matching import (
    Matched,
    begin_again,
    count_ahead,
    match_all,
    match_believed,
    match_some,
    matchable,
    unfinished,
)
from payments.reconciliation.tills import Till, TrialBalance, statements_that_differ, trial_balance

__all__ = (
    "CLOCKS_DIFFER",
    "Imported",
    "Matched",
    "Till",
    "TrialBalance",
    "begin_again",
    "count_ahead",
    "earlier",
    "erasable_lines",
    "erase_old_files",
    "import_file",
    "kept_file",
    "match_all",
    "match_believed",
    "match_some",
    "matchable",
    "may_be_a_requests",
    "order_meant",
    "read_file",
    "requests_that_fit",
    "statements_that_differ",
    "trial_balance",
    "unfinished",
)

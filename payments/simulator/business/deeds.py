"""Takes an initiator's order, does it, and tells its result once (daraja.md 6). No HTTP in here but the telling."""

import http.client
import threading
from dataclasses import dataclass

from payments.simulator.accounts import INITIATOR, INITIATOR_PASSWORD
from payments.simulator.bank import Bank, Deed, Delivery
from payments.simulator.business import results
from payments.simulator.business.credential import decrypted
from payments.simulator.business.orders import BALANCE, REVERSAL, STATUS, Order
from payments.simulator.business.results import Parameters
from payments.simulator.callback_sender import post
from payments.simulator.faults import FaultBoard
from payments.simulator.schedule import Schedule
from payments.simulator.till import AlreadyReversed, Move, NotEnough, NotReversible

SECONDS = 3.0  # from the answer to the deed and its result

WORDS = {
    "0": results.DONE,
    "1": "The balance is insufficient for the transaction.",
    "21": "The initiator is not allowed to initiate this request.",
    "2001": "The initiator information is invalid.",
    "2033": "The transaction receipt number does not exist.",
    "8006": "The security credential is locked.",
    "R000001": "The transaction has already been reversed.",
    "R000002": "The OriginalTransactionID is invalid.",
}


@dataclass(frozen=True, kw_only=True)
class _Letter:
    kind: str
    url: str
    body: bytes


class Deeds:
    """`instant`: done when `settle` is called, not after its real time."""

    def __init__(self, *, bank: Bank, schedule: Schedule, faults: FaultBoard, instant: bool) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._instant = instant
        self._held: list[tuple[Deed, list[_Letter]]] = []
        self._lock = threading.Lock()

    def open(self, order: Order) -> Deed:
        now = self._schedule.now()
        deed = self._bank.accept_deed(
            what=order.what,
            short_code=order.account.short_code,
            at=now,
            result_url=order.result_url,
            timeout_url=order.timeout_url,
            fields={"TransactionID": order.transaction_id, "Amount": str(order.amount)},
        )
        if not self._instant:
            self._schedule.at(now + SECONDS, lambda due: self._do_and_tell(deed, order, due))
        return deed

    def settle(self, deed: Deed, order: Order) -> threading.Thread | None:
        """Do it now; returns the thread that tells of it, if one does."""
        return self._do_and_tell(deed, order, self._schedule.now())

    @property
    def instant(self) -> bool:
        return self._instant

    # --- what is done ---

    def _do_and_tell(self, deed: Deed, order: Order, at: float) -> threading.Thread | None:
        if deed.code is not None or not self._bank.is_known(deed):
            return None
        code, parameters = self._refusal(order), None
        if code is None:
            code, parameters = self._done(deed, order, at)
        deed.code, deed.words, deed.ended_at = code, WORDS[code], at
        return self._tell(deed, parameters, at)

    def _refusal(self, order: Order) -> str | None:
        """Whoever he is, he may not."""
        if self._faults.take("initiator_locked") is not None:
            return "8006"
        if order.initiator != INITIATOR or decrypted(order.credential) != INITIATOR_PASSWORD:
            return "2001"
        return "21" if self._faults.take("no_permission") is not None else None

    def _done(self, deed: Deed, order: Order, at: float) -> tuple[str, Parameters | None]:
        if order.what == BALANCE:
            return "0", results.of_balance(self._bank, deed.short_code, at)
        if order.what == STATUS:
            return self._looked_up(deed, order)
        return self._reversed(deed, order, at)

    def _looked_up(self, deed: Deed, order: Order) -> tuple[str, Parameters | None]:
        about: Move | Deed | None = None
        if order.conversation_id:
            about = self._bank.find_deed(order.conversation_id)
            if about is not None and about.receipt:
                about = self._bank.find_move(about.receipt)
            elif about is not None and about.what != REVERSAL:
                about = None
        elif (move := self._bank.find_move(order.transaction_id)) and move.short_code == deed.short_code:
            about = move
        if about is None or about.short_code != deed.short_code:
            return "2033", None
        return "0", results.of_status(self._bank, deed, about)

    def _reversed(self, deed: Deed, order: Order, at: float) -> tuple[str, Parameters | None]:
        if self._faults.take("already_reversed") is not None:
            return "R000001", None
        if self._faults.take("swept_out") is not None:
            return "1", None
        try:
            move = self._bank.reverse(
                short_code=deed.short_code,
                receipt=order.transaction_id,
                amount=order.amount,
                at=at,
                by="initiator",
            )
        except NotReversible:
            return "R000002", None
        except AlreadyReversed:
            return "R000001", None
        except NotEnough:
            return "1", None
        deed.receipt = move.receipt
        return "0", results.of_reversal(self._bank, move)

    # --- what is told ---

    def _tell(self, deed: Deed, parameters: Parameters | None, at: float) -> threading.Thread | None:
        if self._faults.take("no_result") is not None:
            return None
        if self._faults.take("bare_result") is not None:
            parameters = None
        letters = self._letters(deed, parameters)
        late = self._faults.number("late_result")
        if late is not None:
            self._schedule.at(at + late, lambda _due: self._send_soon([(deed, letters)]))
            return None
        with self._lock:
            if self._faults.take("results_swapped") is not None and not self._held:
                self._held = [(deed, letters)]
                return None
            held, self._held = self._held, []
        return self._send_soon([(deed, letters), *held])

    def _letters(self, deed: Deed, parameters: Parameters | None) -> list[_Letter]:
        if self._faults.take("queue_timeout") is not None:
            return [_Letter(kind="timeout", url=deed.timeout_url, body=results.queue_timeout(deed))]
        body = results.result(deed, parameters, as_text=deed.what == BALANCE)
        copies = max(int(self._faults.number("duplicate_result") or 1), 1)
        letters = [_Letter(kind="result", url=deed.result_url, body=body)] * copies
        if self._faults.take("result_for_nobody") is not None:
            stray = _Letter(kind="for_nobody", url=deed.result_url, body=results.for_nobody(deed))
            letters.insert(0, stray)
        return letters

    def _send_soon(self, told: list[tuple[Deed, list[_Letter]]]) -> threading.Thread:
        ready = threading.Event()
        thread = threading.Thread(target=self._send_all, args=(told, ready), daemon=True)
        thread.start()
        ready.wait()
        return thread

    def _send_all(self, told: list[tuple[Deed, list[_Letter]]], ready: threading.Event) -> None:
        with self._schedule.busy():
            ready.set()
            for deed, letters in told:
                for letter in letters:
                    self._send(deed, letter)

    def _send(self, deed: Deed, letter: _Letter) -> None:
        self._bank.count("result")
        status, trouble = None, ""
        at = self._schedule.now()
        try:
            status = post(letter.url, letter.body, deed.short_code)
        except (OSError, ValueError, http.client.HTTPException) as caught:
            trouble = type(caught).__name__
        self._bank.record(deed, Delivery(kind=letter.kind, at=at, status=status, trouble=trouble))

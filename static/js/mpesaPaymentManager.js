/**
 * MpesaPaymentManager: asks a phone to pay by M-PESA STK Push and waits for the answer. No DOM, no dependencies.
 *
 * On the shop's own pages or on another site (the shop must list that site in CORS_ALLOWED_ORIGINS):
 *
 *   <script src="https://shop.example/static/js/mpesaPaymentManager.js"></script>
 *
 *   mpesaPaymentManager.onState = ({ status, message }) => showWords(status, message);
 *   const result = await mpesaPaymentManager.processPayment({
 *     phoneNumber: "0712 345 678",            // as the buyer typed it
 *     amount: 1500,                           // whole shillings
 *     accountReference: "CART_1234567890",    // one per purchase: the same reference is never paid twice
 *     description: "DJ Kraph - Cart Checkout",
 *   });
 *   if (result.status === "completed") showReceipt(result.receipt);   // null: it is in M-PESA's SMS
 *   else if (result.status === "failed" || result.status === "refused") offerAgain(result.message);
 *   else sayStillChecking(result.message);    // "timeout", "unknown": the money may have moved, don't ask again
 *
 * A result is {success, status, transactionId, receipt, amount, message, code, checkoutRequestId}. `status`:
 *   completed  paid                         failed     M-PESA said no; nothing was taken
 *   refused    no prompt was sent           timeout    no answer in two minutes: not failed, not known
 *   cancelled  cancel() was called          unknown    the shop's answer to the request was lost
 *
 * The tag leaves two names: `mpesaPaymentManager`, ready for use, and the class `MpesaPaymentManager` (also spelt
 * MPesaPaymentManager) for pages that want one of their own, with options.
 */
(function (root) {
  "use strict";

  const POLL_INTERVAL_MS = 3_000;
  const MAX_POLLS = 40; // times 3 s: the two minutes in which a prompt can be answered
  const MIN_REST_MS = 1_000; // between two polls, however slow the last one was
  const PUSH_TIMEOUT_MS = 40_000;
  const STATUS_TIMEOUT_MS = 15_000;
  const PUSH_RETRY_DELAY_MS = 2_000;
  const MAX_AMOUNT_KES = 250_000; // what one M-PESA payment can carry
  const TRANSACTION_TYPE = "CustomerPayBillOnline"; // the shop's own setting decides which is used

  const NOT_TWICE = "If your phone asks for your M-PESA PIN, it is from us. Pressing pay again will not charge you twice.";
  const WORDS = {
    lost: `We could not reach the shop: check your connection. ${NOT_TWICE}`,
    unreadable: `The shop did not answer as it should. ${NOT_TWICE}`,
    failed: "The payment did not go through.",
    timeout: "No answer from M-PESA yet. If you got an M-PESA message that you paid, you are done. Do not pay again yet.",
    cancelled: "Stopped waiting for the payment.",
    waiting: "Check your phone and enter your M-PESA PIN.",
  };

  /** A push that did not start. `outcomeUnknown`: nobody can say whether the phone was asked. */
  class PaymentError extends Error {
    constructor(message, { code, httpStatus = 0, errors = null, outcomeUnknown = false }) {
      super(message);
      Object.assign(this, { name: "PaymentError", code, httpStatus, errors, outcomeUnknown });
    }
  }

  const script = typeof document === "undefined" ? null : document.currentScript;

  /** The shop's origin where another site loads this file; "" on the shop's own pages. */
  function originOfScript() {
    if (!script || !script.src) return "";
    const { origin } = new URL(script.src, location.href);
    return origin === location.origin ? "" : origin;
  }

  function randomId() {
    if (root.crypto && root.crypto.randomUUID) return root.crypto.randomUUID();
    const bytes = new Uint8Array(16); // pages without https, and Chrome before 92, have no randomUUID
    if (root.crypto && root.crypto.getRandomValues) root.crypto.getRandomValues(bytes);
    else bytes.forEach((_, index) => { bytes[index] = Math.random() * 256; });
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** POSTs JSON. `body` of the answer is null where it is not a JSON object. Throws when the network fails. */
  async function post(fetch, url, payload, { timeoutMs, headers = {} }) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", ...headers },
        body: JSON.stringify(payload),
        cache: "no-store",
        signal: abort.signal,
      });
      const text = await response.text();
      return { ok: response.ok, httpStatus: response.status, body: asObject(text) };
    } finally {
      clearTimeout(timer);
    }
  }

  function asObject(text) {
    try {
      const value = JSON.parse(text);
      return value && typeof value === "object" && !Array.isArray(value) ? value : null;
    } catch {
      return null;
    }
  }

  /** Digits after 254, or the words to say what is wrong: {digits, problem}. */
  function readPhone(phoneNumber) {
    const typed = String(phoneNumber ?? "").replace(/[\s().\p{Cf}\p{Mn}\p{Me}\p{Pd}\u2212]/gu, "").replace(/^tel:/i, "");
    const no = (problem) => ({ digits: "", problem });
    if (!typed) return no("Enter your M-PESA phone number.");
    if (!/^\+?[0-9]+$/.test(typed)) return no("A phone number has only digits, like 0712 345 678.");
    const isInternational = /^(\+|00)/.test(typed);
    let digits = typed.replace(/^(\+|00)/, "");
    if (isInternational && !digits.startsWith("254")) return no("Only Kenyan numbers can pay: start with 07, 01 or +254.");
    digits = digits.replace(/^254/, "").replace(/^0/, ""); // +254 0712… is written too
    if (!/^[71]/.test(digits)) return no("Enter a Kenyan mobile number: it starts with 07 or 01.");
    if (digits.length < 9) return no("This number is too short. It should look like 0712 345 678.");
    if (digits.length > 9) return no("This number is too long. It should look like 0712 345 678.");
    return { digits, problem: "" };
  }

  /** One wait for one payment: can be stopped for good, or woken early from its rest. */
  class Watch {
    isStopped = false;
    earlyPolls = 0; // asked for by hand, on top of the schedule
    #wake = () => {};
    #stop = () => {};
    #stopped = new Promise((resolve) => { this.#stop = resolve; });

    stop() { this.isStopped = true; this.#stop(); }

    pollNow() { this.earlyPolls += 1; this.#wake(); }

    until(promise) { return Promise.race([promise, this.#stopped]); }

    rest(sleeping) { return this.until(Promise.race([sleeping, new Promise((wake) => { this.#wake = wake; })])); }
  }

  class MpesaPaymentManager {
    static POLL_INTERVAL_MS = POLL_INTERVAL_MS;
    static MAX_POLLS = MAX_POLLS;
    static PaymentError = PaymentError;

    #baseUrl; #fetch; #sleep; #now; #randomId; #pollIntervalMs; #maxPolls; #timeouts; #onState;
    #watch = null;
    #running = null;
    #cancels = 0;

    constructor({
      baseUrl = originOfScript(),
      fetch = (...request) => root.fetch(...request),
      sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); }),
      now = Date.now,
      randomId: newId = randomId,
      pollIntervalMs = POLL_INTERVAL_MS,
      maxPolls = MAX_POLLS,
      pushTimeoutMs = PUSH_TIMEOUT_MS,
      statusTimeoutMs = STATUS_TIMEOUT_MS,
      onState = () => {},
    } = {}) {
      this.#baseUrl = baseUrl.replace(/\/+$/, "");
      this.#fetch = fetch;
      this.#sleep = sleep;
      this.#now = now;
      this.#randomId = newId;
      this.#pollIntervalMs = pollIntervalMs;
      this.#maxPolls = maxPolls;
      this.#timeouts = { push: pushTimeoutMs, status: statusTimeoutMs };
      this.#onState = onState;
    }

    /** "0712 345 678" → "254712345678". Throws a PaymentError in words for anything but a Kenyan mobile number. */
    formatPhoneNumber(phoneNumber) {
      const { digits, problem } = readPhone(phoneNumber);
      if (problem) throw new PaymentError(problem, { code: "invalid_phone", errors: { phone: [problem] } });
      return `254${digits}`;
    }

    validatePhoneNumber(phoneNumber) { return !readPhone(phoneNumber).problem; }

    /** What is wrong with this number, in words for the buyer; "" when nothing is. */
    explainPhoneNumber(phoneNumber) { return readPhone(phoneNumber).problem; }

    /** "0712 ••• 678": enough to recognise one's own number, not enough to read another's. */
    maskPhoneNumber(phoneNumber) {
      const { digits, problem } = readPhone(phoneNumber);
      return problem ? "" : `0${digits.slice(0, 3)} ••• ${digits.slice(6)}`;
    }

    /**
     * Asks the phone to pay. Gives the server's JSON, or throws a PaymentError with the server's words and code.
     * One call is one Idempotency-Key: where the line drops, the same request is repeated once under the same key.
     */
    async initiateSTKPush(phoneNumber, amount, metadata = {}) {
      const shillings = Number(amount);
      if (!Number.isInteger(shillings) || shillings < 1 || shillings > MAX_AMOUNT_KES) {
        throw new PaymentError("The amount must be whole shillings, from 1 to 250,000.", { code: "invalid_amount" });
      }
      const { accountReference, description, remark, transactionType = TRANSACTION_TYPE, again } = metadata;
      const payload = {
        phone: this.formatPhoneNumber(phoneNumber),
        amount: shillings, description, accountReference, transactionType, remark, again,
      };
      const key = metadata.idempotencyKey || this.#randomId();
      return readPush(await this.#push(payload, { "Idempotency-Key": key }));
    }

    /** One look at a payment. Only the documented answers are final: any trouble is "pending", with isWeak set. */
    async checkPaymentStatus(checkoutRequestId) {
      let answer;
      try {
        answer = await post(this.#fetch, `${this.#baseUrl}/stkpush/status`, { checkoutRequestId }, {
          timeoutMs: this.#timeouts.status,
        });
      } catch {
        answer = { ok: false, body: null };
      }
      return readStatus(answer, checkoutRequestId);
    }

    /** Called with each thing that becomes known. */
    set onState(listener) { this.#onState = listener; }

    /**
     * Polls until completed or failed; after `maxPolls` polls, or the time they should take: "timeout".
     * Pages written from the guide give (id, maxPolls, pollIntervalMs).
     */
    async pollPaymentStatus(checkoutRequestId, options = {}, interval = undefined) {
      const {
        pollIntervalMs = this.#pollIntervalMs, maxPolls = this.#maxPolls, startNow = false, onState = this.#onState,
        untilPaid = false, // also past "failed": money can come late
      } = typeof options === "number" ? { maxPolls: options, pollIntervalMs: interval } : options;
      this.cancel();
      const watch = new Watch();
      this.#watch = watch;
      const startedAt = this.#now();
      let restMs = startNow ? 0 : pollIntervalMs;
      for (let polls = 1; ; polls += 1) {
        if (restMs > 0) await watch.rest(this.#sleep(restMs));
        if (watch.isStopped) return unfinished("cancelled", checkoutRequestId);
        const askedAt = this.#now();
        const seen = await watch.until(this.checkPaymentStatus(checkoutRequestId));
        if (watch.isStopped) return unfinished("cancelled", checkoutRequestId);
        onState(seen);
        if (seen.status === "completed" || (seen.status === "failed" && !untilPaid)) return seen;
        const isOver = this.#now() - startedAt >= maxPolls * pollIntervalMs;
        if (isOver || polls >= maxPolls + watch.earlyPolls) return unfinished("timeout", checkoutRequestId);
        restMs = Math.max(Math.min(MIN_REST_MS, pollIntervalMs), pollIntervalMs - (this.#now() - askedAt));
      }
    }

    /**
     * The whole payment; never throws. A second call while one is under way is given the first one's promise.
     * Also as the guide has it for its parts: processPayment(phoneNumber, amount, metadata).
     */
    processPayment(payment, amountKes = undefined, more = {}) {
      const { phoneNumber, phone = phoneNumber, amount, ...metadata } =
        payment && typeof payment === "object" ? payment : { phone: payment, amount: amountKes, ...more };
      if (!this.#running) {
        this.#running = this.#process(phone, amount, metadata).finally(() => { this.#running = null; });
      }
      return this.#running;
    }

    /** Stops waiting (not the payment: a prompt that was sent can still be paid). */
    cancel() {
      this.#cancels += 1;
      if (this.#watch) this.#watch.stop();
    }

    /** Asks now instead of at the next turn: the buyer pressed a button, or the line is back. */
    pollNow() { if (this.#watch) this.#watch.pollNow(); }

    #push = async (payload, headers) => {
      const ask = () => post(this.#fetch, `${this.#baseUrl}/stkpush`, payload, { timeoutMs: this.#timeouts.push, headers });
      try {
        return await ask();
      } catch {
        this.#onState({ status: "sending", isWeak: true, message: "Weak connection, trying once more…" });
      }
      await this.#sleep(PUSH_RETRY_DELAY_MS);
      try {
        return await ask();
      } catch {
        throw new PaymentError(WORDS.lost, { code: "network", outcomeUnknown: true });
      }
    };

    #process = async (phone, amount, metadata) => {
      const cancels = this.#cancels;
      let result;
      try {
        this.#onState({ status: "sending", isWeak: false, message: "Sending the request to your phone…" });
        const { checkoutRequestId } = await this.initiateSTKPush(phone, amount, metadata);
        if (cancels === this.#cancels) {
          this.#onState({ ...unfinished("pending", checkoutRequestId), message: WORDS.waiting });
          result = await this.pollPaymentStatus(checkoutRequestId, { onState: (seen) => this.#onPending(seen) });
        } else {
          result = unfinished("cancelled", checkoutRequestId);
        }
      } catch (error) {
        const status = error.outcomeUnknown ? "unknown" : "refused";
        result = { ...unfinished(status, null), message: error.message, code: error.code || "error" };
      }
      this.#onState(result);
      return result;
    };

    /** The end is told once, by #process. */
    #onPending = (seen) => { if (seen.status === "pending") this.#onState(seen); };
  }

  function readPush({ ok, httpStatus, body }) {
    if (ok && body && body.success === true && body.checkoutRequestId) return body;
    if (!body || typeof body.message !== "string" || (ok && body.success === true)) {
      throw new PaymentError(WORDS.unreadable, { code: "unreadable_answer", httpStatus, outcomeUnknown: true });
    }
    throw new PaymentError(body.message, { code: body.code || `http_${httpStatus}`, httpStatus, errors: body.errors || null });
  }

  function readStatus({ ok, body }, checkoutRequestId) {
    if (ok && body && body.success === true && body.status === "completed") {
      const receipt = body.MpesaReceiptNumber || null;
      const { transaction_id: transactionId = receipt, amount = null, message = "Payment received." } = body;
      return { ...unfinished("completed", checkoutRequestId), success: true, receipt, transactionId, amount, message };
    }
    if (ok && body && body.success === false && body.status === "failed") {
      return { ...unfinished("failed", checkoutRequestId), message: body.message || WORDS.failed, code: body.code || null, isWatched: body.watching === true };
    }
    const isSound = ok && body && body.success === true && body.status === "pending";
    return { ...unfinished("pending", checkoutRequestId), isWeak: !isSound, message: (isSound && body.message) || WORDS.waiting };
  }

  function unfinished(status, checkoutRequestId) {
    const message = WORDS[status] || "";
    return {
      success: false, status, transactionId: null, receipt: null, amount: null, message, code: null,
      isWeak: false, isWatched: false, checkoutRequestId,
    };
  }

  root.MpesaPaymentManager = root.MPesaPaymentManager = MpesaPaymentManager;
  root.mpesaPaymentManager = new MpesaPaymentManager();
  if (typeof module !== "undefined" && module.exports) module.exports = MpesaPaymentManager;
})(globalThis);

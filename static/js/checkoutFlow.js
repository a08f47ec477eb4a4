/**
 * CheckoutFlow: one order on its way to being paid, as the buyer should see it. No DOM.
 *
 * form → waiting → paid | failed | still-checking; just-paid: asked back; renew: place it anew. "failed" only when M-PESA said so; everything that is merely
 * not known stays in waiting, then in still-checking, where the old request is still watched.
 */
(function (root) {
  "use strict";

  const PROMPT_SECONDS = 120; // how long a prompt can be answered
  const POLL_SECONDS = 3;
  const SLOWLY = { pollIntervalMs: 10_000, maxPolls: 60 }; // ten minutes
  const ALL_DAY = { pollIntervalMs: 60_000, maxPolls: 1440 }; // as long as the shop asks M-PESA about it
  const LOOK_BACK_EVERY = 5; // polls: the earlier requests of this page are looked at too
  const ALREADY_PAID = "already_paid"; // the server's code for an order that needs no more money
  const INSTEAD_OF_FORM = { order_ended: "renew", price_changed: "renew", just_paid: "just-paid" };

  const STILL_CHECKING = "We are still checking. If you got an M-PESA message that you paid, you are done: "
    + "keep this page open or come back to it. Do not pay again yet.";
  const STILL_WATCHING = "We still watch your earlier request: if it is paid after all, this page shows it.";
  const NOTHING_SENT = "No new request was sent: M-PESA is still working on the first one. If your phone asks for your "
    + "PIN, enter it.";
  const SENT_WORDS = { sent: "Request sent to", same: "Request under way on", unknown: "We tried to reach" };
  const NUMBER_AGAIN = "Enter your M-PESA number again.";

  class CheckoutFlow {
    #manager; #order; #now; #onChange; #goTo;
    #phone = "";
    #pollId = null;
    #earlierIds = []; // a request that failed or fell silent can still turn out paid
    #turn = 0; // each new wait makes the ones before it nobody's business
    #pendingPolls = 0;
    #view = { state: "form", message: "", maskedPhone: "", sentWords: SENT_WORDS.sent, isBusy: false, isWeak: false, error: null,
      deadlineMs: 0, checkedAtMs: 0 };

    /** `order`: {code, totalKes, totalWords, confirmationUrl}. `onChange` is given the whole view each time. */
    constructor({ manager, order, onChange, goTo, now = Date.now }) {
      this.#manager = manager;
      this.#order = order;
      this.#onChange = onChange;
      this.#goTo = goTo;
      this.#now = now;
    }

    get view() { return this.#view; }

    /** A payment was under way when the page was loaded: go on waiting for it. */
    resume({ pollId, secondsLeft, phone = "" }) {
      this.#phone = phone;
      return this.#wait(pollId, secondsLeft, { startNow: true });
    }

    /** An earlier request came to nothing, and may be paid all the same: look after it while the form is shown. */
    watch(pollId) {
      this.#pollId = pollId;
      this.#show({ message: STILL_WATCHING });
      return this.#watchOn(pollId, this.#turn);
    }

    /** The buyer pressed pay. */
    async pay(phone) {
      if (this.#view.isBusy || this.#view.state === "paid") return;
      const problem = this.#manager.explainPhoneNumber(phone);
      if (problem) { this.#show({ error: { field: "phone", message: problem } }); return; }
      this.#phone = phone;
      await this.#ask();
    }

    /** Once more to the same phone, while the earlier request is still watched. */
    async sendNew() {
      if (this.#view.isBusy || this.#view.state === "paid") return;
      if (!this.#phone) { this.tryAgain(); this.#show({ error: { field: "phone", message: NUMBER_AGAIN } }); return; }
      await this.#ask();
    }

    /** Asked back whether the same is to be bought once more, the buyer said yes. */
    async payAgain() {
      if (!this.#view.isBusy && this.#view.state === "just-paid") await this.#ask({ again: true });
    }

    /** Back to the form; the number stays. */
    tryAgain() {
      this.#show({ state: "form", message: this.#isWatching ? STILL_WATCHING : "", error: null, isWeak: false });
    }

    /** The buyer, or a line that came back, wants to know now. */
    checkNow() {
      if (this.#isWatching) this.#manager.pollNow();
      else if (this.#view.state === "still-checking") this.#wait(this.#pollId, 0, { startNow: true });
    }

    /** The manager's onState. */
    hear({ status, isWeak }) {
      if (status === "sending") this.#show({ isWeak });
      if (status !== "pending" || this.#view.state === "form") return;
      this.#show({ isWeak, checkedAtMs: this.#now() });
      this.#pendingPolls += 1;
      if (this.#pendingPolls % LOOK_BACK_EVERY === 0) this.#lookBack(this.#turn);
    }

    #isWatching = false;

    #show = (change) => {
      this.#view = { ...this.#view, ...change };
      this.#onChange(this.#view);
    };

    #ask = async ({ again } = {}) => {
      this.#show({ isBusy: true, error: null, isWeak: false, maskedPhone: this.#manager.maskPhoneNumber(this.#phone) });
      let answer;
      try {
        answer = await this.#manager.initiateSTKPush(this.#phone, this.#order.totalKes, {
          accountReference: this.#order.code,
          description: "DJ Kraph - Cart Checkout",
          remark: "Payment for DJ Kraph premium mixes",
          again,
        });
      } catch (error) {
        if (this.#view.state !== "paid") this.#refused(error);
        return;
      }
      if (this.#view.state === "paid") return; // the earlier request was paid meanwhile
      await this.#follow(answer);
    };

    /** Says what the press did to the phone, and waits. */
    #follow = ({ checkoutRequestId, prompt = "sent", message }) => {
      const sentWords = SENT_WORDS[prompt];
      const isNew = prompt === "sent";
      if (prompt === "same" && checkoutRequestId === this.#pollId && this.#view.state === "still-checking") {
        return this.#wait(checkoutRequestId, 0, { startNow: false, said: NOTHING_SENT, sentWords });
      }
      const again = isNew && this.#view.state === "still-checking" ? "A new request was sent. " : "";
      const said = isNew ? `${again}${this.#enterPin}` : message;
      return this.#wait(checkoutRequestId, PROMPT_SECONDS, { startNow: false, said, sentWords });
    };

    get #enterPin() { return `Enter your M-PESA PIN to pay ${this.#order.totalWords}.`; }

    #refused = (error) => {
      if (error.code === ALREADY_PAID) { this.#paid(); return; }
      const state = INSTEAD_OF_FORM[error.code];
      if (state) { this.#show({ state, message: error.message, error: null, isBusy: false, isWeak: false }); return; }
      const field = error.errors && error.errors.phone ? "phone" : "form";
      this.#show({ isBusy: false, isWeak: false, error: { field, message: error.message } });
    };

    /** Fast polls while the prompt lives, slow ones after it, until something is known or another wait begins. */
    #wait = async (pollId, seconds, { startNow, said = "", sentWords = SENT_WORDS.same }) => {
      const turn = (this.#turn += 1);
      if (this.#pollId && this.#pollId !== pollId) this.#earlierIds.push(this.#pollId);
      this.#pollId = pollId;
      this.#isWatching = true;
      let seen = { status: "timeout" };
      const isStale = () => turn !== this.#turn;
      const maskedPhone = this.#manager.maskPhoneNumber(this.#phone);
      const fresh = { isBusy: false, isWeak: false, error: null, checkedAtMs: 0, maskedPhone, sentWords };
      if (seconds > 0) {
        this.#show({ ...fresh, state: "waiting", message: said || this.#enterPin,
          deadlineMs: this.#now() + seconds * 1000 });
        seen = await this.#manager.pollPaymentStatus(pollId, { maxPolls: Math.ceil(seconds / POLL_SECONDS), startNow });
      }
      if (!isStale() && seen.status === "timeout") {
        this.#show({ ...fresh, state: "still-checking", message: (seconds <= 0 && said) || STILL_CHECKING });
        seen = await this.#manager.pollPaymentStatus(pollId, { ...SLOWLY, startNow: seconds <= 0 && startNow });
      }
      if (!isStale() && seen.status === "timeout") seen = await this.#manager.pollPaymentStatus(pollId, ALL_DAY);
      if (isStale()) return;
      this.#isWatching = false;
      if (seen.status === "completed") this.#paid();
      // while the buyer types, or a new request is being sent, an old one's end is not news
      const isAside = this.#view.state === "form" || this.#view.isBusy;
      if (seen.status === "failed" && !isAside) await this.#failed(seen, isStale);
      if (seen.status === "failed" && seen.isWatched && !isStale()) await this.#watchOn(pollId, turn);
    };

    /** On after "failed", slowly, until another wait begins: money has been seen to come late. */
    #watchOn = async (pollId, turn) => {
      this.#isWatching = true;
      const quietly = { untilPaid: true, onState: () => {} };
      let seen = await this.#manager.pollPaymentStatus(pollId, { ...SLOWLY, ...quietly });
      if (turn === this.#turn && seen.status === "timeout") {
        seen = await this.#manager.pollPaymentStatus(pollId, { ...ALL_DAY, ...quietly });
      }
      if (turn !== this.#turn) return;
      this.#isWatching = false;
      if (seen.status === "completed") this.#paid();
    };

    #lookBack = async (turn) => {
      for (const earlierId of this.#earlierIds) {
        const earlier = await this.#manager.checkPaymentStatus(earlierId);
        if (turn !== this.#turn) return;
        if (earlier.status === "completed") { this.#paid(); return; }
      }
    };

    /** Failed, unless one of the earlier requests of this page was paid after all. */
    #failed = async ({ message }, isStale) => {
      for (const earlierId of this.#earlierIds) {
        const earlier = await this.#manager.checkPaymentStatus(earlierId);
        if (isStale()) return;
        if (earlier.status === "completed") { this.#paid(); return; }
      }
      this.#show({ state: "failed", message, error: null, isWeak: false, isBusy: false });
    };

    #paid = () => {
      this.#turn += 1;
      this.#manager.cancel();
      this.#show({ state: "paid", message: "We have your payment. Opening your receipt…", error: null, isWeak: false });
      this.#goTo(this.#order.confirmationUrl);
    };
  }

  root.CheckoutFlow = CheckoutFlow;
  if (typeof module !== "undefined" && module.exports) module.exports = CheckoutFlow;
})(globalThis);

/** Binds the checkout page to CheckoutFlow: words, focus and the countdown. Decides nothing. */
(function () {
  "use strict";

  const PHONE_KEY = "djkraph.phone"; // sessionStorage: for a reload while waiting; gone with the tab
  const PROMPT_MS = 120_000;
  const TICK_MS = 1_000;
  const HEADINGS = {
    form: "Pay with M-PESA",
    waiting: "Check your phone",
    failed: "The payment did not go through",
    "still-checking": "No answer from M-PESA yet",
    "just-paid": "Pay once more?",
    renew: "This order is out of date",
    paid: "Payment received",
  };

  const page = document.querySelector("[data-checkout]");
  const by = (id) => document.getElementById(id);
  const phone = by("phone");
  const payWords = by("pay").textContent;
  const { orderCode, amount, confirmationUrl, pollId, secondsLeft, watchId } = page.dataset;
  let shown = { state: page.dataset.state };
  let isAskedByHand = false;

  const manager = new MpesaPaymentManager({ onState: (seen) => flow.hear(seen) });
  const flow = new CheckoutFlow({
    manager,
    order: { code: orderCode, totalKes: Number(amount), totalWords: page.dataset.amountWords, confirmationUrl },
    onChange: show,
    goTo: (url) => { rememberPhone(""); location.replace(url); },
  });

  function rememberPhone(number) {
    try {
      sessionStorage.setItem(PHONE_KEY, number);
    } catch {
      // a browser that keeps nothing: after a reload the number is typed again
    }
  }

  function rememberedPhone() {
    try {
      return sessionStorage.getItem(PHONE_KEY) || "";
    } catch {
      return "";
    }
  }

  /** Sets only what differs, so that a screen reader is told each thing once. */
  function say(id, words) {
    if (by(id).textContent !== words) by(id).textContent = words;
  }

  function show(view) {
    const hasMoved = view.state !== shown.state;
    page.dataset.state = view.state;
    say("state-heading", HEADINGS[view.state]);
    say("status", view.message);
    say("sent-words", view.sentWords);
    say("masked-phone", view.maskedPhone || "your phone");
    showBusy(view);
    showError(view.error, view.error !== shown.error);
    showChecks(view);
    shown = view;
    tick();
    if (hasMoved) by("state-heading").focus();
  }

  function showBusy({ isBusy, isWeak, state }) {
    by("pay").disabled = by("send-new").disabled = by("pay-again").disabled = isBusy;
    phone.readOnly = isBusy;
    say("pay", isBusy ? "Sending to your phone…" : payWords);
    say("send-new", isBusy ? "Sending…" : "Send a new request");
    const isSending = isBusy && state === "form";
    say("weak", isWeak ? `Weak connection, still ${isSending ? "sending" : "checking"}…` : "");
  }

  function showError(error, isNew) {
    const isPhone = Boolean(error) && error.field === "phone";
    say("phone-error", isPhone ? error.message : "");
    say("form-error", error && !isPhone ? error.message : "");
    phone.setAttribute("aria-invalid", String(isPhone));
    if (isPhone && isNew) phone.focus();
  }

  function showChecks({ checkedAtMs, isWeak }) {
    if (!isAskedByHand || !checkedAtMs || checkedAtMs === shown.checkedAtMs) return;
    isAskedByHand = false;
    const time = new Date(checkedAtMs).toTimeString().slice(0, 8);
    say("check-note", isWeak ? `No connection at ${time}. We keep trying.` : `Checked at ${time}: no answer from M-PESA yet.`);
  }

  function tick() {
    if (shown.state !== "waiting" || !shown.deadlineMs) return;
    const leftMs = Math.max(0, shown.deadlineMs - Date.now());
    const seconds = Math.ceil(leftMs / 1000);
    by("countdown").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    by("countdown-bar").value = Math.min(PROMPT_MS, leftMs) / 1000;
  }

  by("pay-form").addEventListener("submit", (event) => {
    event.preventDefault();
    rememberPhone(phone.value);
    flow.pay(phone.value);
  });
  by("try-again").addEventListener("click", () => flow.tryAgain());
  by("send-new").addEventListener("click", () => flow.sendNew());
  by("pay-again").addEventListener("click", () => flow.payAgain());
  by("check-again").addEventListener("click", () => {
    isAskedByHand = true;
    say("check-note", "Checking…");
    flow.checkNow();
  });
  addEventListener("online", () => flow.checkNow());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flow.checkNow(); });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); }); // never a stale "pay"
  setInterval(tick, TICK_MS);

  if (!phone.value) phone.value = rememberedPhone();
  if (pollId) flow.resume({ pollId, secondsLeft: Number(secondsLeft) || 0, phone: rememberedPhone() });
  else if (watchId && page.dataset.state === "form") flow.watch(watchId);
  by("pay").disabled = false;
})();

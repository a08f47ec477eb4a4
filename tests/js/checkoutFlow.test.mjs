import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, COMPLETED, counter, FAILED, fakeClock, fakeShop, load, PENDING, PUSHED, settle } from "./fakes.mjs";

const MpesaPaymentManager = load("mpesaPaymentManager");
const CheckoutFlow = load("checkoutFlow");
const OFFLINE = new TypeError("Failed to fetch");
const PHONE = "0712345678";
const BUSY = answer({ success: false, message: "Finish the prompt on your phone first.", code: "phone_busy" }, 409);

function setUp({ push, status, sleep } = {}) {
  const shop = fakeShop({ push, status });
  const clock = fakeClock();
  const views = [];
  const gone = [];
  const manager = new MpesaPaymentManager({
    fetch: shop.fetch, sleep: sleep || clock.sleep, now: clock.now, randomId: counter(), onState: (seen) => flow.hear(seen),
  });
  const flow = new CheckoutFlow({
    manager, now: clock.now, onChange: (view) => views.push(view), goTo: (url) => gone.push(url),
    order: { code: "DK7NQ4XWTM", totalKes: 4900, totalWords: "KES 4,900", confirmationUrl: "/confirmation.html?order=t" },
  });
  const states = () => views.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
  return { shop, clock, flow, views, gone, states };
}

/** Sleeps that end when the test says so. */
function held() {
  const wakes = [];
  const sleep = () => new Promise((wake) => { wakes.push(wake); });
  return { sleep, wake: async () => { wakes.splice(0).forEach((wake) => wake()); await settle(); await settle(); } };
}

test("a payment that goes well ends at the confirmation", async () => {
  const { flow, shop, gone, states, views } = setUp({ status: [PENDING, COMPLETED] });
  await flow.pay(PHONE);
  assert.deepEqual(states(), ["form", "waiting", "paid"]);
  assert.deepEqual(gone, ["/confirmation.html?order=t"]);
  assert.deepEqual(shop.pushes()[0].body, {
    phone: "254712345678", amount: 4900, accountReference: "DK7NQ4XWTM", transactionType: "CustomerPayBillOnline",
    description: "DJ Kraph - Cart Checkout", remark: "Payment for DJ Kraph premium mixes",
  });
  const waiting = views.find(({ state }) => state === "waiting");
  assert.equal(waiting.maskedPhone, "0712 ••• 678");
  assert.match(waiting.message, /PIN to pay KES 4,900/);
});

test("a wrong number is told at the field and nothing is sent", async () => {
  const { flow, shop } = setUp();
  await flow.pay("0712");
  assert.equal(flow.view.error.field, "phone");
  assert.equal(shop.pushes().length, 0);
});

test("a second press while the first is being sent sends nothing", async () => {
  const { flow, shop } = setUp({ status: [COMPLETED] });
  const first = flow.pay(PHONE);
  await flow.pay(PHONE);
  await first;
  assert.equal(shop.pushes().length, 1);
});

test("a refusal stays at the form with the server's words, and pay works again", async () => {
  const { flow, shop } = setUp({ push: [BUSY, PUSHED], status: [COMPLETED] });
  await flow.pay(PHONE);
  assert.deepEqual([flow.view.state, flow.view.isBusy, flow.view.error], ["form", false, { field: "form", message: "Finish the prompt on your phone first." }]);
  await flow.pay(PHONE);
  assert.deepEqual(shop.pushes().map(({ headers }) => headers["Idempotency-Key"]), ["key-1", "key-2"]);
  assert.equal(flow.view.state, "paid");
});

test("what the server says of the number is told at the number", async () => {
  const { flow } = setUp({ push: [answer({ success: false, message: "Not Kenyan.", code: "invalid", errors: { phone: ["Not Kenyan."] } }, 400)] });
  await flow.pay(PHONE);
  assert.deepEqual(flow.view.error, { field: "phone", message: "Not Kenyan." });
});

test("an order that is paid already goes to its confirmation", async () => {
  const { flow, gone } = setUp({ push: [answer({ success: false, message: "Paid already.", code: "already_paid" }, 409)] });
  await flow.pay(PHONE);
  assert.deepEqual([flow.view.state, gone.length], ["paid", 1]);
});

for (const code of ["order_ended", "price_changed"]) {
  test(`an order that is out of date (${code}) is to be placed anew: no form, no wait`, async () => {
    const { flow, gone, states } = setUp({ push: [answer({ success: false, message: "Start again from the cart.", code }, 409)] });
    await flow.pay(PHONE);
    assert.deepEqual(states(), ["form", "renew"]);
    assert.deepEqual([flow.view.message, flow.view.error, flow.view.isBusy, gone.length], ["Start again from the cart.", null, false, 0]);
  });
}

test("what this phone has just paid for is asked back, and sent only when the buyer says so", async () => {
  const { flow, shop, states } = setUp({
    push: [answer({ success: false, message: "You paid for this.", code: "just_paid" }, 409), PUSHED], status: [COMPLETED],
  });
  await flow.payAgain(); // nothing to say yes to
  await flow.pay(PHONE);
  assert.deepEqual([flow.view.state, flow.view.message, flow.view.isBusy], ["just-paid", "You paid for this.", false]);
  assert.equal("again" in shop.pushes()[0].body, false);
  await flow.payAgain();
  assert.deepEqual(states(), ["form", "just-paid", "waiting", "paid"]);
  assert.equal(shop.pushes()[1].body.again, true);
  assert.deepEqual(shop.pushes().map(({ headers }) => headers["Idempotency-Key"]), ["key-1", "key-2"]);
});

test("failed says so in the server's words, and try again goes back to the form", async () => {
  const { flow, states } = setUp({ status: [FAILED] });
  await flow.pay(PHONE);
  assert.deepEqual([flow.view.state, flow.view.message], ["failed", FAILED.message]);
  flow.tryAgain();
  assert.deepEqual(states(), ["form", "waiting", "failed", "form"]);
});

test("no trouble of the line ever becomes failed", async () => {
  const { flow, states, views } = setUp({ status: [OFFLINE, answer("<h1>", 502), answer({ success: false, code: "throttled", message: "" }, 429), answer("null"), COMPLETED] });
  await flow.pay(PHONE);
  assert.deepEqual(states(), ["form", "waiting", "paid"]);
  assert.ok(views.some(({ isWeak }) => isWeak));
});

test("after forty polls it is still checking: slowly, then slower for a day, and not failed", async () => {
  const { flow, shop, clock, states } = setUp();
  await flow.pay(PHONE);
  assert.deepEqual(states(), ["form", "waiting", "still-checking"]);
  assert.match(flow.view.message, /Do not pay again yet/);
  assert.equal(shop.polls().length, 40 + 60 + 1440);
  assert.deepEqual([...new Set(clock.slept)], [3000, 10_000, 60_000]);
});

test("check again asks at once, also when the day is over", async () => {
  const { flow, shop, states } = setUp({ status: [...Array(1540).fill(PENDING), COMPLETED] });
  await flow.pay(PHONE);
  flow.checkNow();
  await settle();
  assert.equal(shop.polls().length, 1541);
  assert.equal(states().at(-1), "paid");
});

test("a reload goes on waiting, with the time that is left", async () => {
  const { flow, shop, clock, views, states } = setUp({ status: [PENDING, PENDING, COMPLETED] });
  const startedAt = clock.now();
  await flow.resume({ pollId: "our-public-id", secondsLeft: 61, phone: PHONE });
  assert.deepEqual(states(), ["waiting", "paid"]);
  assert.equal(views[0].deadlineMs, startedAt + 61_000);
  assert.equal(clock.slept.length, 2); // the first look is at once
  assert.deepEqual(shop.polls()[0].body, { checkoutRequestId: "our-public-id" });
});

test("a reload after the two minutes is still checking, and looks at once", async () => {
  const { flow, shop, states, clock } = setUp({ status: [COMPLETED] });
  await flow.resume({ pollId: "ws_CO_old", secondsLeft: 0 });
  assert.deepEqual(states(), ["still-checking", "paid"]);
  assert.deepEqual([shop.polls().length, clock.slept.length], [1, 0]);
});

test("a new request is a new key, and the wait starts anew", async () => {
  const hold = held();
  const { flow, shop, states } = setUp({ push: [{ ...PUSHED, checkoutRequestId: "ws_CO_2" }], sleep: hold.sleep });
  flow.resume({ pollId: "ws_CO_1", secondsLeft: 0, phone: PHONE });
  await settle();
  flow.sendNew();
  await settle();
  assert.deepEqual(states(), ["still-checking", "waiting"]);
  await hold.wake();
  assert.equal(shop.polls().at(-1).body.checkoutRequestId, "ws_CO_2");
});

test("a new request that is refused says so, and the old one is still watched", async () => {
  const hold = held();
  const { flow, shop, gone } = setUp({ push: [BUSY], status: [PENDING, COMPLETED], sleep: hold.sleep });
  flow.resume({ pollId: "ws_CO_1", secondsLeft: 0, phone: PHONE });
  await settle();
  await flow.sendNew();
  assert.deepEqual([flow.view.state, flow.view.error.field, flow.view.isBusy], ["still-checking", "form", false]);
  await hold.wake();
  assert.equal(shop.polls().at(-1).body.checkoutRequestId, "ws_CO_1");
  assert.equal(gone.length, 1);
});

test("an old request that is paid while a new one is sent wins", async () => {
  const hold = held();
  let reply;
  const { flow, gone } = setUp({
    push: [() => new Promise((resolve) => { reply = resolve; })], status: [PENDING, COMPLETED], sleep: hold.sleep,
  });
  flow.resume({ pollId: "ws_CO_1", secondsLeft: 0, phone: PHONE });
  await settle();
  flow.sendNew();
  await hold.wake();
  reply(answer(PUSHED));
  await settle();
  assert.deepEqual([flow.view.state, gone.length], ["paid", 1]);
});

test("a new request that fails is not told while an older one turns out paid", async () => {
  const { flow, gone } = setUp({ push: [{ ...PUSHED, checkoutRequestId: "a" }, { ...PUSHED, checkoutRequestId: "b" }], status: [FAILED, FAILED, COMPLETED] });
  await flow.pay(PHONE); // a: failed
  flow.tryAgain();
  await flow.pay(PHONE); // b: failed, but a was paid late
  assert.deepEqual([flow.view.state, gone.length], ["paid", 1]);
});

const WATCHED = { ...FAILED, message: "No answer. We go on watching.", watching: true };

test("after a failure that is watched the page goes on looking, and shows the late money", async () => {
  const { flow, shop, clock, gone, states } = setUp({ status: [WATCHED, ...Array(70).fill(WATCHED), COMPLETED] });
  await flow.pay(PHONE);
  assert.deepEqual(states(), ["form", "waiting", "failed", "paid"]);
  assert.deepEqual([shop.polls().length, gone.length], [72, 1]);
  assert.deepEqual([...new Set(clock.slept)], [3000, 10_000, 60_000]);
});

test("a failure that is final is not looked at again", async () => {
  const { flow, shop } = setUp({ status: [FAILED] });
  await flow.pay(PHONE);
  assert.equal(shop.polls().length, 1);
});

test("who tries again meanwhile is told that the earlier request is watched, and its money wins", async () => {
  const hold = held();
  const { flow, shop, gone } = setUp({ status: [WATCHED, WATCHED, COMPLETED], sleep: hold.sleep });
  flow.pay(PHONE);
  await settle();
  await hold.wake();
  assert.equal(flow.view.state, "failed");
  flow.tryAgain();
  assert.match(flow.view.message, /still watch your earlier request/);
  await hold.wake();
  assert.equal(flow.view.state, "form");
  await hold.wake();
  assert.deepEqual([flow.view.state, gone.length, shop.pushes().length], ["paid", 1, 1]);
});

test("after a reload the earlier request is looked after beside the form", async () => {
  const { flow, states, views } = setUp({ status: [WATCHED, COMPLETED] });
  await flow.watch("ws_CO_1");
  assert.match(views[0].message, /still watch/);
  assert.deepEqual(states(), ["form", "paid"]);
});

test("while a new request waits, the earlier ones are looked at too", async () => {
  const shop = [{ ...PUSHED, checkoutRequestId: "a" }, { ...PUSHED, checkoutRequestId: "b" }];
  let late = false;
  const byId = (options) => (JSON.parse(options.body).checkoutRequestId === "a" ? (late ? COMPLETED : FAILED) : PENDING);
  const { flow, gone } = setUp({ push: shop, status: [byId] });
  await flow.pay(PHONE);
  late = true;
  flow.tryAgain();
  await flow.pay(PHONE);
  assert.deepEqual([flow.view.state, gone.length], ["paid", 1]);
});

for (const [prompt, words, sentWords] of [
  ["sent", /^A new request was sent\. Enter your M-PESA PIN/, "Request sent to"],
  ["same", /^Under way already\.$/, "Request under way on"],
  ["unknown", /^Under way already\.$/, "We tried to reach"],
]) {
  test(`"send a new request" says what it did to the phone: ${prompt}`, async () => {
    const hold = held();
    const { flow } = setUp({ push: [{ ...PUSHED, checkoutRequestId: "b", prompt, message: "Under way already." }], sleep: hold.sleep });
    flow.resume({ pollId: "a", secondsLeft: 0, phone: PHONE });
    await settle();
    flow.sendNew();
    await settle();
    assert.equal(flow.view.state, "waiting");
    assert.match(flow.view.message, words);
    assert.equal(flow.view.sentWords, sentWords);
  });
}

test("where M-PESA still works on the first request, nobody is told of a new one", async () => {
  const hold = held();
  const { flow } = setUp({ push: [{ ...PUSHED, checkoutRequestId: "a", prompt: "same", message: "Under way." }], sleep: hold.sleep });
  flow.resume({ pollId: "a", secondsLeft: 0, phone: PHONE });
  await settle();
  flow.sendNew();
  await settle();
  assert.equal(flow.view.state, "still-checking");
  assert.match(flow.view.message, /^No new request was sent/);
});

test("a new request without a number (a reload forgot it) goes to the form and asks for it", async () => {
  const hold = held();
  const { flow, shop } = setUp({ sleep: hold.sleep });
  flow.resume({ pollId: "ws_CO_1", secondsLeft: 0 });
  await settle();
  await flow.sendNew();
  assert.deepEqual([flow.view.state, flow.view.error.field], ["form", "phone"]);
  assert.equal(shop.pushes().length, 0);
});

test("while the buyer types, the end of an old request does not take the form away", async () => {
  const hold = held();
  const { flow } = setUp({ status: [PENDING, FAILED], sleep: hold.sleep });
  flow.resume({ pollId: "ws_CO_1", secondsLeft: 0 });
  await settle();
  await flow.sendNew();
  await hold.wake();
  assert.equal(flow.view.state, "form");
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

import { answer, COMPLETED, counter, FAILED, fakeClock, fakeShop, load, PENDING, PUSHED, settle } from "./fakes.mjs";

const MpesaPaymentManager = load("mpesaPaymentManager");
const OFFLINE = new TypeError("Failed to fetch");
const PAYMENT = { phoneNumber: "0712 345 678", amount: 1500, accountReference: "CART_1", description: "Two mixes" };

function setUp({ push, status, ...options } = {}) {
  const shop = fakeShop({ push, status });
  const clock = fakeClock();
  const states = [];
  const manager = new MpesaPaymentManager({
    fetch: shop.fetch, sleep: clock.sleep, now: clock.now, randomId: counter(), onState: (s) => states.push(s), ...options,
  });
  return { shop, clock, states, manager };
}

// --- phones ---------------------------------------------------------------------------------------------

for (const [typed, formatted] of [
  ["\u2068+254700000111\u2069", "254700000111"],
  ["\u20680700 000 111\u2069", "254700000111"],
  ["\u2066\u200e0712\u20133\u00ad45\u2009678\ufeff\u2069", "254712345678"],
  ["0712345678", "254712345678"],
  ["+254712345678", "254712345678"],
  ["254712345678", "254712345678"],
  ["712345678", "254712345678"],
  [712345678, "254712345678"],
  ["0110123456", "254110123456"],
  ["0141234567", "254141234567"],
  ["  0712 345-678 ", "254712345678"],
  ["(0712) 345.678", "254712345678"],
  ["+254 (0)712 345 678", "254712345678"],
  ["00254 712 345 678", "254712345678"],
  ["\u202a+254\u00a0712\u00a0345\u2011678\u202c", "254712345678"], // as copied from a contact
]) {
  test(`a Kenyan mobile number is read as people write it: ${typed}`, () => {
    const { manager } = setUp();
    assert.equal(manager.formatPhoneNumber(typed), formatted);
    assert.equal(manager.validatePhoneNumber(typed), true);
    assert.equal(manager.explainPhoneNumber(typed), "");
  });
}

for (const [typed, words] of [
  ["", /Enter your/], [null, /Enter your/], [undefined, /Enter your/], ["   ", /Enter your/],
  ["+255712345678", /Kenyan/], ["0044 7911 123456", /Kenyan/], ["+1 212 555 0100", /Kenyan/],
  ["0712", /too short/], ["254712345", /too short/], ["071234567", /too short/],
  ["07123456789", /too long/], ["2547123456789", /too long/],
  ["0201234567", /07 or 01/], ["0812345678", /07 or 01/],
  ["O712345678", /digits/], ["0712 345 67x", /digits/], ["0712345678; DROP", /digits/], [{}, /digits/],
]) {
  test(`anything else is refused in words: ${JSON.stringify(typed)}`, () => {
    const { manager } = setUp();
    assert.equal(manager.validatePhoneNumber(typed), false);
    assert.match(manager.explainPhoneNumber(typed), words);
    assert.throws(() => manager.formatPhoneNumber(typed), { code: "invalid_phone", message: words });
    assert.equal(manager.maskPhoneNumber(typed), "");
  });
}

const SAMPLES = JSON.parse(readFileSync(new URL("../samples/phones.json", import.meta.url), "utf8")); // the server's too

test("the page reads each number as the server does", () => {
  const { manager } = setUp();
  const read = Object.keys(SAMPLES.read).map((typed) => [typed, manager.formatPhoneNumber(typed)]);
  assert.deepEqual(Object.fromEntries(read), SAMPLES.read);
});

test("the page refuses what the server refuses", () => {
  const { manager } = setUp();
  assert.deepEqual(SAMPLES.refused.filter((typed) => manager.validatePhoneNumber(typed)), []);
});

test("a masked number keeps its ends only", () => {
  assert.equal(setUp().manager.maskPhoneNumber("+254712345678"), "0712 ••• 678");
});

// --- the push -------------------------------------------------------------------------------------------

test("a push sends what the guide says, with a key of its own", async () => {
  const { shop, manager } = setUp();
  const pushed = await manager.initiateSTKPush("0712345678", "1500", { accountReference: "DK1", description: "Mixes", remark: "r" });
  assert.deepEqual(pushed, PUSHED);
  const [{ url, headers, body }] = shop.pushes();
  assert.equal(url, "/stkpush");
  assert.equal(headers["Idempotency-Key"], "key-1");
  assert.deepEqual(body, {
    phone: "254712345678", amount: 1500, description: "Mixes", accountReference: "DK1",
    transactionType: "CustomerPayBillOnline", remark: "r",
  });
});

test("each press has a new key", async () => {
  const { shop, manager } = setUp();
  await manager.initiateSTKPush("0712345678", 1500);
  await manager.initiateSTKPush("0712345678", 1500);
  assert.deepEqual(shop.pushes().map(({ headers }) => headers["Idempotency-Key"]), ["key-1", "key-2"]);
});

test("a dropped line repeats the same push once, under the same key", async () => {
  const { shop, manager, states } = setUp({ push: [OFFLINE, PUSHED] });
  assert.equal((await manager.initiateSTKPush("0712345678", 1500)).checkoutRequestId, "ws_CO_1");
  const [first, second, ...more] = shop.pushes();
  assert.equal(more.length, 0);
  assert.equal(first.headers["Idempotency-Key"], second.headers["Idempotency-Key"]);
  assert.deepEqual(first.body, second.body);
  assert.deepEqual(states.map(({ status, isWeak }) => [status, isWeak]), [["sending", true]]);
});

test("a line that stays down is an unknown outcome after two tries, never a third", async () => {
  const { shop, manager } = setUp({ push: [OFFLINE] });
  await assert.rejects(manager.initiateSTKPush("0712345678", 1500), { code: "network", outcomeUnknown: true });
  assert.equal(shop.pushes().length, 2);
  assert.equal(new Set(shop.pushes().map(({ headers }) => headers["Idempotency-Key"])).size, 1);
});

test("a push that hangs is given up and counts as a dropped line", async () => {
  const hang = ({ signal }) => new Promise((_, reject) => { signal.addEventListener("abort", () => reject(OFFLINE)); });
  const { shop, manager } = setUp({ push: [hang, PUSHED], pushTimeoutMs: 10 });
  assert.deepEqual(await manager.initiateSTKPush("0712345678", 1500), PUSHED);
  assert.equal(shop.pushes().length, 2);
});

for (const status of [400, 409, 429, 500, 502, 503]) {
  test(`a refusal is thrown in the server's words and sent once: ${status}`, async () => {
    const refusal = { success: false, message: "Finish the prompt on your phone first.", code: "phone_busy", errors: { phone: ["x"] } };
    const { shop, manager } = setUp({ push: [answer(refusal, status)] });
    await assert.rejects(manager.initiateSTKPush("0712345678", 1500), {
      name: "PaymentError", message: refusal.message, code: "phone_busy", httpStatus: status, errors: { phone: ["x"] },
      outcomeUnknown: false,
    });
    assert.equal(shop.pushes().length, 1);
  });
}

for (const [name, reply] of [
  ["HTML with 502", answer("<h1>Bad gateway</h1>", 502)], ["HTML with 200", answer("<h1>Log in to the wifi</h1>")],
  ["null", answer("null")], ["a list", answer([])], ["nothing", answer("", 504)],
  ["success without an id", answer({ success: true, message: "sent" })],
]) {
  test(`an answer nobody can read is an unknown outcome: ${name}`, async () => {
    const { shop, manager } = setUp({ push: [reply] });
    await assert.rejects(manager.initiateSTKPush("0712345678", 1500), { code: "unreadable_answer", outcomeUnknown: true });
    assert.equal(shop.pushes().length, 1);
  });
}

for (const amount of [0, -5, 10.5, 250_001, NaN, "abc", null, undefined]) {
  test(`an amount that is not whole shillings never leaves the page: ${amount}`, async () => {
    const { shop, manager } = setUp();
    await assert.rejects(manager.initiateSTKPush("0712345678", amount), { code: "invalid_amount" });
    assert.equal(shop.pushes().length, 0);
  });
}

// --- one look -------------------------------------------------------------------------------------------

for (const [name, reply] of [
  ["network error", OFFLINE], ["500", answer({ success: false, message: "Oops", code: "server_error" }, 500)],
  ["500 that says failed", answer(FAILED, 500)], ["429", answer({ success: false, message: "Slow down", code: "throttled" }, 429)],
  ["404", answer({ success: false, message: "Unknown", code: "not_found" }, 404)],
  ["HTML", answer("<html></html>")], ["null", answer("null")], ["a number", answer("7")], ["broken JSON", answer('{"success": tr')],
  ["an unknown status", answer({ success: true, status: "processing" })], ["no status", answer({ success: false, message: "?" })],
  ["success with failed", answer({ success: true, status: "failed" })], ["failure with completed", answer({ success: false, status: "completed" })],
  ["success as a word", answer({ success: "false", status: "failed" })],
]) {
  test(`trouble is pending, never failed and never paid: ${name}`, async () => {
    const { manager } = setUp({ status: [reply] });
    const seen = await manager.checkPaymentStatus("ws_CO_1");
    assert.deepEqual([seen.status, seen.success, seen.isWeak], ["pending", false, true]);
  });
}

test("a sound pending is not a weak line", async () => {
  const { manager, shop } = setUp();
  assert.equal((await manager.checkPaymentStatus("any string at all")).isWeak, false);
  assert.deepEqual(shop.polls()[0].body, { checkoutRequestId: "any string at all" });
});

test("completed gives the receipt, or null while it is awaited", async () => {
  const paid = await setUp({ status: [COMPLETED] }).manager.checkPaymentStatus("ws_CO_1");
  assert.deepEqual([paid.success, paid.status, paid.receipt, paid.transactionId, paid.amount], [true, "completed", "UAV7X2K9QP", "UAV7X2K9QP", 1500]);
  const awaited = await setUp({ status: [{ ...COMPLETED, MpesaReceiptNumber: null }] }).manager.checkPaymentStatus("ws_CO_1");
  assert.deepEqual([awaited.success, awaited.receipt], [true, null]);
});

// --- polling --------------------------------------------------------------------------------------------

test("forty polls, three seconds apart, end in a timeout that is not a failure", async () => {
  const { manager, shop, clock } = setUp();
  const seen = await manager.pollPaymentStatus("ws_CO_1");
  assert.deepEqual([seen.status, seen.success], ["timeout", false]);
  assert.match(seen.message, /Do not pay again/);
  assert.equal(shop.polls().length, MpesaPaymentManager.MAX_POLLS);
  assert.deepEqual(clock.slept, Array(40).fill(3000));
});

test("polling goes on through every trouble until something is known", async () => {
  const { manager, shop, states } = setUp({
    status: [OFFLINE, answer("<h1>", 502), answer({ success: false, code: "throttled", message: "" }, 429), answer("null"), PENDING, COMPLETED],
  });
  assert.equal((await manager.pollPaymentStatus("ws_CO_1")).status, "completed");
  assert.equal(shop.polls().length, 6);
  assert.deepEqual(states.map(({ isWeak }) => isWeak), [true, true, true, true, false, false]);
});

test("failed comes in the server's words", async () => {
  const { manager, shop } = setUp({ status: [PENDING, FAILED] });
  const seen = await manager.pollPaymentStatus("ws_CO_1");
  assert.deepEqual([seen.status, seen.message], ["failed", FAILED.message]);
  assert.equal(shop.polls().length, 2);
});

test("slow answers count towards the two minutes", async () => {
  const world = setUp({ status: [async () => { world.clock.pass(12_000); return PENDING; }] });
  const startedAt = world.clock.now();
  assert.equal((await world.manager.pollPaymentStatus("ws_CO_1")).status, "timeout");
  const lasted = world.clock.now() - startedAt;
  assert.ok(lasted >= 120_000 && lasted < 135_000, `${lasted} ms`);
});

test("a status request that hangs is given up and is pending", async () => {
  const hang = ({ signal }) => new Promise((_, reject) => { signal.addEventListener("abort", () => reject(OFFLINE)); });
  const { manager } = setUp({ status: [hang, COMPLETED], statusTimeoutMs: 10 });
  assert.equal((await manager.pollPaymentStatus("ws_CO_1")).status, "completed");
});

test("cancel ends the wait at once and asks no more", async () => {
  const { manager, shop } = setUp({ sleep: () => new Promise(() => {}) });
  const waiting = manager.pollPaymentStatus("ws_CO_1");
  manager.cancel();
  assert.equal((await waiting).status, "cancelled");
  assert.equal(shop.polls().length, 0);
});

test("an answer that comes after cancel is nobody's business", async () => {
  let reply;
  const { manager, states } = setUp({ status: [() => new Promise((resolve) => { reply = resolve; })] });
  const waiting = manager.pollPaymentStatus("ws_CO_1");
  await settle();
  manager.cancel();
  reply(answer(FAILED));
  assert.equal((await waiting).status, "cancelled");
  assert.deepEqual(states, []);
});

test("pollNow wakes the rest and costs none of the forty", async () => {
  const wakes = [];
  const { manager, shop } = setUp({ maxPolls: 2, sleep: () => new Promise((wake) => { wakes.push(wake); }) });
  const waiting = manager.pollPaymentStatus("ws_CO_1");
  await settle();
  manager.pollNow();
  await settle();
  assert.equal(shop.polls().length, 1);
  wakes[1]();
  await settle();
  wakes[2]();
  assert.equal((await waiting).status, "timeout");
  assert.equal(shop.polls().length, 3);
});

test("a new wait ends the one before it", async () => {
  const { manager } = setUp({ status: [COMPLETED] });
  const old = manager.pollPaymentStatus("ws_CO_old");
  const fresh = manager.pollPaymentStatus("ws_CO_new");
  assert.equal((await old).status, "cancelled");
  assert.equal((await fresh).checkoutRequestId, "ws_CO_new");
});

// --- the whole payment ----------------------------------------------------------------------------------

test("a payment that goes well", async () => {
  const { manager, states } = setUp({ status: [PENDING, COMPLETED] });
  const result = await manager.processPayment(PAYMENT);
  assert.deepEqual(
    [result.success, result.status, result.transactionId, result.receipt, result.checkoutRequestId],
    [true, "completed", "UAV7X2K9QP", "UAV7X2K9QP", "ws_CO_1"],
  );
  assert.deepEqual(states.map(({ status }) => status), ["sending", "pending", "pending", "completed"]);
});

test("`phone` is taken for `phoneNumber` too", async () => {
  const { manager, shop } = setUp({ status: [COMPLETED] });
  await manager.processPayment({ phone: "0712345678", amount: 10 });
  assert.equal(shop.pushes()[0].body.phone, "254712345678");
});

test("phone, amount and metadata one after the other are taken too", async () => {
  const { manager, shop } = setUp({ status: [COMPLETED] });
  const result = await manager.processPayment("0712345678", 10, { accountReference: "CART_1" });
  assert.equal(result.status, "completed");
  const { phone, amount, accountReference } = shop.pushes()[0].body;
  assert.deepEqual([phone, amount, accountReference], ["254712345678", 10, "CART_1"]);
});

test("polls and their interval as plain numbers are taken too", async () => {
  const { manager, shop, clock } = setUp();
  assert.equal((await manager.pollPaymentStatus("ws_CO_1", 4, 500)).status, "timeout");
  assert.deepEqual([shop.polls().length, [...new Set(clock.slept)]], [4, [500]]);
});

test("who listens may be said later", async () => {
  const { manager } = setUp({ status: [COMPLETED] });
  const heard = [];
  manager.onState = ({ status }) => heard.push(status);
  await manager.processPayment(PAYMENT);
  assert.deepEqual(heard, ["sending", "pending", "completed"]);
});

test("a second call while one is running is the same payment", async () => {
  const { manager, shop } = setUp({ status: [PENDING, COMPLETED] });
  const first = manager.processPayment(PAYMENT);
  const second = manager.processPayment(PAYMENT);
  assert.equal(first, second);
  await first;
  assert.equal(shop.pushes().length, 1);
  assert.notEqual(manager.processPayment(PAYMENT), first);
});

for (const [name, push, status, code] of [
  ["a refusal", [answer({ success: false, message: "Too many requests.", code: "throttled" }, 429)], "refused", "throttled"],
  ["a line that is down", [OFFLINE], "unknown", "network"],
  ["an unreadable answer", [answer("<html>", 504)], "unknown", "unreadable_answer"],
]) {
  test(`processPayment answers, and does not throw, after ${name}`, async () => {
    const { manager, shop, states } = setUp({ push });
    const result = await manager.processPayment(PAYMENT);
    assert.deepEqual([result.success, result.status, result.code], [false, status, code]);
    assert.ok(result.message);
    assert.equal(states.at(-1), result);
    assert.equal(shop.polls().length, 0);
  });
}

test("a number that is no number is refused before anything is sent", async () => {
  const { manager, shop } = setUp();
  const result = await manager.processPayment({ ...PAYMENT, phoneNumber: "12" });
  assert.deepEqual([result.status, result.code], ["refused", "invalid_phone"]);
  assert.equal(shop.pushes().length, 0);
});

test("no answer in two minutes is a timeout, not a failure", async () => {
  assert.equal((await setUp().manager.processPayment(PAYMENT)).status, "timeout");
});

test("cancel while the push is under way means no polling", async () => {
  let reply;
  const { manager, shop } = setUp({ push: [() => new Promise((resolve) => { reply = resolve; })] });
  const paying = manager.processPayment(PAYMENT);
  await settle();
  manager.cancel();
  reply(answer(PUSHED));
  assert.deepEqual([(await paying).status, (await paying).checkoutRequestId], ["cancelled", "ws_CO_1"]);
  assert.equal(shop.polls().length, 0);
});

// --- as a script ----------------------------------------------------------------------------------------

function inBrowser({ src, page, crypto = globalThis.crypto }) {
  const asked = [];
  const window = {
    location: new URL(page), document: { currentScript: { src } }, URL, crypto, setTimeout, clearTimeout, AbortController,
    fetch: async (url, { headers }) => { asked.push({ url, key: headers["Idempotency-Key"] }); return answer(PUSHED); },
  };
  const file = new URL("../../static/js/mpesaPaymentManager.js", import.meta.url);
  vm.runInNewContext(readFileSync(file, "utf8"), window);
  return { Manager: window.MpesaPaymentManager, asked, window };
}

test("the tag leaves the class, in both spellings, and an instance that is ready", async () => {
  const { window, asked } = inBrowser({ src: "https://shop.example/static/js/mpesaPaymentManager.js", page: "https://djkraph.example/pay.html" });
  assert.equal(window.MPesaPaymentManager, window.MpesaPaymentManager);
  assert.ok(window.mpesaPaymentManager instanceof window.MpesaPaymentManager);
  const { success, checkoutRequestId } = await window.mpesaPaymentManager.initiateSTKPush("0712345678", 15000, { accountReference: "CART1" });
  assert.deepEqual([success, checkoutRequestId, asked[0].url], [true, "ws_CO_1", "https://shop.example/stkpush"]);
});

test("a page that still brings an instance of its own, after ours, keeps its own", () => {
  const { window } = inBrowser({ src: "https://shop.example/static/js/mpesaPaymentManager.js", page: "https://djkraph.example/pay.html" });
  vm.runInContext("class MPesaPaymentManager {} const mpesaPaymentManager = new MPesaPaymentManager(); var seen = mpesaPaymentManager.constructor === MPesaPaymentManager;", window);
  assert.equal(window.seen, true);
});

test("one script tag on another site talks to the shop it came from", async () => {
  const { Manager, asked } = inBrowser({ src: "https://shop.example/static/js/mpesaPaymentManager.js", page: "https://djkraph.example/cart.html" });
  await new Manager().initiateSTKPush("0712345678", 10);
  assert.equal(asked[0].url, "https://shop.example/stkpush");
});

test("on the shop's own pages the address is relative", async () => {
  const { Manager, asked } = inBrowser({ src: "https://shop.example/static/js/mpesaPaymentManager.js", page: "https://shop.example/checkout/x" });
  await new Manager().initiateSTKPush("0712345678", 10);
  assert.equal(asked[0].url, "/stkpush");
});

test("baseUrl can be said", async () => {
  const { Manager, asked } = inBrowser({ src: "", page: "https://djkraph.example/" });
  await new Manager({ baseUrl: "https://pay.example/" }).initiateSTKPush("0712345678", 10);
  assert.equal(asked[0].url, "https://pay.example/stkpush");
});

for (const [name, crypto] of [
  ["no randomUUID", { getRandomValues: (bytes) => globalThis.crypto.getRandomValues(bytes) }], ["no crypto at all", null],
]) {
  test(`keys are random and long with ${name}`, async () => {
    const { Manager, asked } = inBrowser({ src: "", page: "http://192.168.0.7/", crypto });
    const manager = new Manager();
    await manager.initiateSTKPush("0712345678", 10);
    await manager.initiateSTKPush("0712345678", 10);
    const [first, second] = asked.map(({ key }) => key);
    assert.match(first, /^[0-9a-f]{32}$/);
    assert.notEqual(first, second);
  });
}

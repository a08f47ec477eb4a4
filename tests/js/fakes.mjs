/** What the tests put in the place of the network, the clock and the dice. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const load = (name) => require(`../../static/js/${name}.js`);

/** A Response as far as the code looks at one. A string is sent as it is, anything else as JSON. */
export function answer(body, status = 200) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { ok: status >= 200 && status < 300, status, text: async () => text };
}

export const PUSHED = { success: true, checkoutRequestId: "ws_CO_1", message: "STK push sent successfully" };
export const PENDING = { success: true, status: "pending", message: "Waiting" };
export const COMPLETED = {
  success: true, status: "completed", transaction_id: "UAV7X2K9QP", MpesaReceiptNumber: "UAV7X2K9QP", amount: 1500,
};
export const FAILED = { success: false, status: "failed", message: "You cancelled the request on your phone." };

/**
 * A shop that answers from two lists, the last entry for ever after. An entry is a body, an answer(), an Error to
 * throw, or a function giving one of these.
 */
export function fakeShop({ push = [PUSHED], status = [PENDING] } = {}) {
  const left = { push: [...push], status: [...status] };
  const requests = [];
  const fetch = async (url, options) => {
    const door = url.endsWith("/status") ? "status" : "push";
    requests.push({ url, door, headers: options.headers, body: JSON.parse(options.body), signal: options.signal });
    const list = left[door];
    let next = list.length > 1 ? list.shift() : list[0];
    if (typeof next === "function") next = await next(options);
    if (next instanceof Error) throw next;
    return next && typeof next.text === "function" ? next : answer(next);
  };
  const of = (door) => requests.filter((request) => request.door === door);
  return { fetch, pushes: () => of("push"), polls: () => of("status") };
}

/** Time that passes only by sleeping. */
export function fakeClock() {
  let time = 1_000_000;
  const slept = [];
  const sleep = (ms) => { slept.push(ms); time += ms; return Promise.resolve(); };
  return { now: () => time, sleep, slept, pass: (ms) => { time += ms; } };
}

export function counter(prefix = "key") {
  let count = 0;
  return () => `${prefix}-${(count += 1)}`;
}

/** Lets everything that can happen without a timer happen. */
export const settle = () => new Promise((resolve) => { setImmediate(resolve); });

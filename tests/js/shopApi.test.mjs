import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, load } from "./fakes.mjs";

const ShopApi = load("shopApi");

function setUp(reply) {
  const requests = [];
  const fetch = async (url, options) => {
    requests.push({ url, ...options });
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { api: new ShopApi({ fetch }), requests };
}

for (const [amount, words] of [[1, "KES 1"], [900, "KES 900"], [1500, "KES 1,500"], [250000, "KES 250,000"], [1234567, "KES 1,234,567"]]) {
  test(`money is shown as ${words}`, () => assert.equal(ShopApi.kes(amount), words));
}

test("the server is asked for the price of every mix in the cart", async () => {
  const mixes = [{ slug: "a", title: "A", price_kes: 900, minutes: 40, cover: "/covers/a.svg" }];
  const { api, requests } = setUp(answer({ success: true, mixes, total_kes: 900 }));
  assert.deepEqual(await api.mixes(["a", "b"]), mixes);
  assert.equal(requests[0].url, "/api/mixes?slug=a&slug=b");
});

test("an order is placed for slugs, never for prices", async () => {
  const { api, requests } = setUp(answer({ success: true, checkoutUrl: "/checkout/t", amount: 900 }, 201));
  assert.deepEqual(await api.placeOrder(["a", "b"]), { checkoutUrl: "/checkout/t", amount: 900, order: "t" });
  assert.deepEqual(JSON.parse(requests[0].body), { items: [{ mix: "a" }, { mix: "b" }], order: "" });
  await api.placeOrder(["a", "b"], "t");
  assert.equal(JSON.parse(requests[1].body).order, "t");
});

for (const checkoutUrl of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", undefined, null]) {
  test(`a checkout anywhere but on our own site is not gone to: ${checkoutUrl}`, async () => {
    await assert.rejects(setUp(answer({ success: true, checkoutUrl }, 201)).api.placeOrder(["a"]), /did not answer/);
  });
}

test("a refusal is told in the server's words", async () => {
  const { api } = setUp(answer({ success: false, message: "No longer sold: a.", code: "not_sold" }, 400));
  await assert.rejects(api.placeOrder(["a"]), { message: "No longer sold: a." });
});

for (const reply of [answer("<h1>502</h1>", 502), answer("null"), answer({ success: true }), answer({ mixes: [] })]) {
  test("an answer without sense is told calmly", async () => {
    await assert.rejects(setUp(reply).api.mixes(["a"]), /did not answer as it should/);
  });
}

test("a dropped line is told calmly", async () => {
  await assert.rejects(setUp(new TypeError("Failed to fetch")).api.mixes(["a"]), /Check your connection/);
});

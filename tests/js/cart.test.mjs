import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./fakes.mjs";

const Cart = load("cart");

function fakeStorage(kept) {
  const values = new Map(kept === undefined ? [] : [["djkraph.cart", kept]]);
  return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => { values.set(key, value); }, values };
}

test("mixes are kept in order, each once", () => {
  const storage = fakeStorage();
  const cart = new Cart(storage);
  cart.add("love-songs");
  cart.add("rhumba");
  cart.add("love-songs");
  assert.deepEqual(cart.slugs, ["love-songs", "rhumba"]);
  assert.equal(storage.values.get("djkraph.cart"), '["love-songs","rhumba"]');
  assert.ok(new Cart(storage).has("rhumba"));
});

test("the order that was placed is remembered beside the cart, and a browser that keeps nothing has none", () => {
  const storage = fakeStorage();
  assert.equal(new Cart(storage).order, "");
  new Cart(storage).order = "t";
  assert.equal(new Cart(storage).order, "t");
  const forbidden = new Cart(() => { throw new Error("no storage"); });
  forbidden.order = "t";
  assert.equal(forbidden.order, "");
});

test("only the mixes named are taken out", () => {
  const cart = new Cart(fakeStorage('["a","b","c","d"]'));
  cart.remove("a", "c", "never-there");
  assert.deepEqual(cart.slugs, ["b", "d"]);
});

for (const kept of ["", "{bad", "null", "7", '"love-songs"', '{"0":"a"}', "[null,7,{},[]]", '["<script>","a b",""]', `["${"x".repeat(61)}"]`]) {
  test(`whatever else is in the storage counts as an empty cart: ${kept.slice(0, 30)}`, () => {
    const cart = new Cart(fakeStorage(kept));
    assert.deepEqual(cart.slugs, []);
    assert.ok(cart.add("love-songs"));
    assert.deepEqual(cart.slugs, ["love-songs"]);
  });
}

test("what can be read in a damaged cart is kept", () => {
  assert.deepEqual(new Cart(fakeStorage('["a",null,"b","a",3]')).slugs, ["a", "b"]);
});

test("a full cart takes no more", () => {
  const cart = new Cart(fakeStorage(JSON.stringify(Array.from({ length: 50 }, (_, number) => `mix-${number}`))));
  assert.equal(cart.add("one-more"), false);
  assert.equal(cart.add("mix-3"), true);
  assert.equal(cart.slugs.length, 50);
});

const forbidden = () => { throw new Error("SecurityError"); };
for (const [name, storage] of [
  ["reading it throws", forbidden], ["there is none", null], ["every use throws", { getItem: forbidden, setItem: forbidden }],
]) {
  test(`without a storage the cart lasts as long as the page: ${name}`, () => {
    const cart = new Cart(storage);
    cart.add("love-songs");
    assert.deepEqual(cart.slugs, ["love-songs"]);
    cart.remove("love-songs");
    assert.deepEqual(cart.slugs, []);
  });
}

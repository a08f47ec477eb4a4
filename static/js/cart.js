/** Cart: the slugs a buyer chose, kept in this browser. No DOM, no prices: those are the server's. */
(function (root) {
  "use strict";

  const STORAGE_KEY = "djkraph.cart";
  const ORDER_KEY = "djkraph.order";
  const MAX_MIXES = 50; // what one order can hold
  const SLUG = /^[-\w]{1,60}$/;

  class Cart {
    static STORAGE_KEY = STORAGE_KEY;

    #storage;
    #inMemory = []; // where the browser keeps nothing for us

    /** `storage`: localStorage or its like; a function giving it, since merely reading it may throw. */
    constructor(storage = () => root.localStorage) {
      try {
        this.#storage = typeof storage === "function" ? storage() : storage;
      } catch {
        this.#storage = null;
      }
    }

    /** The slugs, each once, in the order they were added. Whatever else is in the storage counts as nothing. */
    get slugs() {
      try {
        const kept = JSON.parse(this.#storage.getItem(STORAGE_KEY));
        const slugs = Array.isArray(kept) ? kept.filter((slug) => typeof slug === "string" && SLUG.test(slug)) : [];
        return [...new Set(slugs)].slice(0, MAX_MIXES);
      } catch {
        return [...this.#inMemory];
      }
    }

    /** The token of the order that this browser placed last, "" for none: the same cart is one order. */
    get order() {
      try {
        return this.#storage.getItem(ORDER_KEY) || "";
      } catch {
        return "";
      }
    }

    set order(token) {
      try {
        this.#storage.setItem(ORDER_KEY, token);
      } catch {
        // nothing is kept here: at the phone the same mixes are asked back
      }
    }

    has(slug) { return this.slugs.includes(slug); }

    /** False where the cart is full. */
    add(slug) {
      const slugs = this.slugs;
      if (slugs.includes(slug)) return true;
      if (slugs.length >= MAX_MIXES) return false;
      this.#keep([...slugs, slug]);
      return true;
    }

    remove(...gone) { this.#keep(this.slugs.filter((slug) => !gone.includes(slug))); }

    #keep = (slugs) => {
      this.#inMemory = slugs;
      try {
        this.#storage.setItem(STORAGE_KEY, JSON.stringify(slugs));
      } catch {
        // full, or forbidden: the cart lasts as long as this page
      }
    };
  }

  root.Cart = Cart;
  if (typeof module !== "undefined" && module.exports) module.exports = Cart;
})(globalThis);

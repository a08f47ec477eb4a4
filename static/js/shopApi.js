/** ShopApi: what the cart asks the shop. No DOM. Every failure is an Error in words for the buyer. */
(function (root) {
  "use strict";

  const TIMEOUT_MS = 20_000;
  const NO_CONNECTION = "We could not reach the shop. Check your connection and try again.";
  const NO_SENSE = "The shop did not answer as it should. Please try again in a moment.";

  /** KES 1,500 */
  function kes(amount) {
    return `KES ${String(amount).replace(/\B(?=(\d{3})+$)/g, ",")}`;
  }

  class ShopApi {
    static kes = kes;

    #fetch; #timeoutMs;

    constructor({ fetch = (...request) => root.fetch(...request), timeoutMs = TIMEOUT_MS } = {}) {
      this.#fetch = fetch;
      this.#timeoutMs = timeoutMs;
    }

    /** The mixes still sold, with today's prices: [{slug, title, price_kes, minutes, cover}]. */
    async mixes(slugs) {
      const query = slugs.map((slug) => `slug=${encodeURIComponent(slug)}`).join("&");
      const { mixes } = await this.#ask(`/api/mixes?${query}`, {});
      if (!Array.isArray(mixes)) throw new Error(NO_SENSE);
      return mixes;
    }

    /** Places the order, or finds the one of the same cart (`order`: its token). {checkoutUrl, amount, order}. */
    async placeOrder(slugs, order = "") {
      const { checkoutUrl, amount } = await this.#ask("/api/orders", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ items: slugs.map((mix) => ({ mix })), order }),
      });
      if (!/^\/(?![/\\])/.test(checkoutUrl)) throw new Error(NO_SENSE); // a path of our own, nowhere else
      return { checkoutUrl, amount, order: checkoutUrl.split("/").pop() };
    }

    #ask = async (url, options) => {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), this.#timeoutMs);
      let text;
      try {
        const response = await this.#fetch(url, { cache: "no-store", signal: abort.signal, ...options });
        text = await response.text();
      } catch {
        throw new Error(NO_CONNECTION);
      } finally {
        clearTimeout(timer);
      }
      return readAnswer(text);
    };
  }

  function readAnswer(text) {
    let answer = null;
    try {
      answer = JSON.parse(text);
    } catch {
      // an error page of somebody in between
    }
    if (answer && answer.success === true) return answer;
    throw new Error(answer && typeof answer.message === "string" ? answer.message : NO_SENSE);
  }

  root.ShopApi = ShopApi;
  if (typeof module !== "undefined" && module.exports) module.exports = ShopApi;
})(globalThis);

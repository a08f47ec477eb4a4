/** Binds the cart page: lines priced by the server, a total, and one press to the checkout. */
(function () {
  "use strict";

  const cart = new Cart();
  const api = new ShopApi();
  const page = document.querySelector("[data-cart-page]");
  const part = (name) => page.querySelector(`[data-part="${name}"]`);
  const proceed = part("proceed");
  const proceedWords = proceed.textContent;
  let lines = []; // the mixes as the server priced them

  function show(state) { page.dataset.state = state; }

  function sum() { return lines.reduce((total, mix) => total + mix.price_kes, 0); }

  function showTotal() {
    part("total").textContent = ShopApi.kes(sum());
    part("count").textContent = lines.length === 1 ? "1 mix" : `${lines.length} mixes`;
    show(lines.length ? "full" : "empty");
    document.dispatchEvent(new Event("cart:changed"));
  }

  function drawLine(mix) {
    const line = part("line").content.cloneNode(true).firstElementChild;
    line.querySelector("img").src = mix.cover;
    line.querySelector("[data-title]").textContent = mix.title;
    line.querySelector("[data-minutes]").textContent = mix.minutes ? `${mix.minutes} min` : "";
    line.querySelector("[data-price]").textContent = ShopApi.kes(mix.price_kes);
    const button = line.querySelector("button");
    button.dataset.remove = mix.slug;
    button.setAttribute("aria-label", `Remove ${mix.title}`);
    button.addEventListener("click", () => remove(mix, line));
    return line;
  }

  function remove(mix, line) {
    const next = line.nextElementSibling || line.previousElementSibling;
    cart.remove(mix.slug);
    lines = lines.filter(({ slug }) => slug !== mix.slug);
    line.remove();
    part("note").textContent = `${mix.title} was taken out of your cart.`;
    part("error").textContent = "";
    showTotal();
    (next ? next.querySelector("button") : part("heading")).focus();
  }

  /** A link back from an order that is out of date brings its mixes along, once. */
  function takeFromAddress() {
    new URLSearchParams(location.search).getAll("mix").forEach((slug) => cart.add(slug));
    if (location.search) history.replaceState(null, "", location.pathname);
  }

  async function load() {
    const slugs = cart.slugs;
    if (!slugs.length) return showTotal();
    show("loading");
    try {
      lines = await api.mixes(slugs);
    } catch (error) {
      part("trouble").textContent = error.message;
      return show("trouble");
    }
    const gone = slugs.filter((slug) => !lines.some((mix) => mix.slug === slug));
    cart.remove(...gone);
    if (gone.length) part("note").textContent = goneWords(gone.length);
    part("lines").textContent = "";
    part("lines").append(...lines.map(drawLine));
    return showTotal();
  }

  function goneWords(count) {
    return count === 1
      ? "One mix is no longer sold, so we took it out of your cart."
      : `${count} mixes are no longer sold, so we took them out of your cart.`;
  }

  function setBusy(isBusy) {
    proceed.disabled = isBusy;
    proceed.textContent = isBusy ? "One moment…" : proceedWords;
  }

  async function order() {
    if (proceed.disabled) return;
    setBusy(true);
    part("error").textContent = "";
    try {
      const placed = await api.placeOrder(lines.map(({ slug }) => slug), cart.order);
      cart.order = placed.order;
      if (placed.amount === sum()) { location.assign(placed.checkoutUrl); return; } // busy until the page is gone
      await load();
      part("error").textContent = `A price has changed: your order costs ${ShopApi.kes(placed.amount)} now. `
        + "Please look at it once more.";
    } catch (error) {
      part("error").textContent = error.message;
    }
    setBusy(false);
  }

  proceed.addEventListener("click", order);
  part("again").addEventListener("click", load);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  takeFromAddress();
  load();
})();

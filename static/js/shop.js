/** Binds the cart to every page: the count in the header, "Add to cart", and a paid order's mixes leaving it. */
(function () {
  "use strict";

  const DOUBLE_TAP_MS = 700; // the second tap of an impatient finger is not a wish to leave the page

  const cart = new Cart();
  const link = document.querySelector("[data-cart-link]");
  const count = document.querySelector("[data-cart-count]");
  const announcer = document.querySelector("[data-announce]");
  const buttons = [...document.querySelectorAll("[data-add-to-cart]")];

  function showCount() {
    const mixes = cart.slugs.length;
    count.textContent = mixes || "";
    count.hidden = mixes === 0;
    link.setAttribute("aria-label", `Cart, ${mixes} ${mixes === 1 ? "mix" : "mixes"}`);
  }

  function showButton(button) {
    const isIn = cart.has(button.dataset.addToCart);
    button.textContent = isIn ? "In cart — view cart" : "Add to cart";
    button.toggleAttribute("data-in-cart", isIn);
  }

  function show() {
    showCount();
    buttons.forEach(showButton);
  }

  function press(button) {
    const slug = button.dataset.addToCart;
    if (cart.has(slug)) {
      if (Date.now() - Number(button.dataset.addedAt || 0) > DOUBLE_TAP_MS) location.assign(link.href);
      return;
    }
    button.dataset.addedAt = Date.now();
    announcer.textContent = cart.add(slug)
      ? `${button.dataset.title} is in your cart.`
      : "Your cart is full. Please order these mixes first.";
    show();
  }

  buttons.forEach((button) => {
    button.hidden = false; // without JavaScript it could do nothing
    button.addEventListener("click", () => press(button));
  });
  document.querySelectorAll("[data-bought]").forEach((bought) => cart.remove(bought.dataset.bought));
  addEventListener("storage", show); // another tab
  addEventListener("pageshow", show); // back from the cart
  document.addEventListener("cart:changed", showCount);
  show();
})();

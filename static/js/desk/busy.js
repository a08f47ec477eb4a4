/* A form that takes a while: its button can't be pressed twice, and says what is going on (data-busy-says). */

(() => {
  "use strict";

  for (const form of document.querySelectorAll("form[data-busy-says]")) {
    const button = form.querySelector("button");
    const words = button.textContent;
    form.addEventListener("submit", () => {
      button.disabled = true;
      button.textContent = form.dataset.busySays;
    });
    window.addEventListener("pageshow", () => {
      button.disabled = false;
      button.textContent = words;
    });
  }
})();

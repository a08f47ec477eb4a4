/* Long work done in steps, with progress: posts to one address again and again until the server says it is finished.

   Nothing is held in the page: closing it stops the work where it is, opening it again goes on from there.
   <div data-steps data-url="…" data-cursor="…"> with [data-bar] (its span is the bar), [data-says], [data-log] and
   [data-again] inside; a button [data-start] where it should not start by itself. Each answer is
   {cursor, done, total, finished, says, line?: {text, href?}, lines?, wait_seconds?, next?}: `says` is a sentence, `next` an
   address to go to when finished. The page needs Django's csrf_token in it. */

((root) => {
  "use strict";

  class Steps {
    #post; #sleep; #show;

    /** post(cursor) → answer; sleep(ms); show({state, answer, error}) draws it. */
    constructor({ post, sleep, show }) {
      this.#post = post;
      this.#sleep = sleep;
      this.#show = show;
    }

    /** Goes on from this cursor until finished or in trouble; gives the last cursor that is done. */
    async run(cursor) {
      for (;;) {
        let answer;
        try {
          answer = await this.#post(cursor);
        } catch (error) {
          this.#show({ state: "stopped", error: error.message });
          return cursor;
        }
        cursor = answer.cursor;
        this.#show({ state: answer.finished ? "finished" : "running", answer });
        if (answer.finished) return cursor;
        if (answer.wait_seconds) await this.#sleep(answer.wait_seconds * 1000);
      }
    }
  }

  const LOGGED_OUT = "You were away for a while and are logged out. Nothing is lost: open this page again.";
  const TROUBLE = "The line to the shop was lost. Nothing is lost: go on when it is back.";

  function bind(box, { fetch, location, setTimeout }) {
    const part = (name) => box.querySelector(`[data-${name}]`);
    const token = box.ownerDocument.querySelector("[name=csrfmiddlewaretoken]").value;
    const steps = new Steps({
      sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
      post: async (cursor) => {
        const answer = await fetch(box.dataset.url, {
          method: "POST",
          headers: { "X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ cursor }),
        }).catch(() => { throw new Error(TROUBLE); });
        if (answer.redirected) throw new Error(LOGGED_OUT);
        const told = await answer.json().catch(() => { throw new Error(TROUBLE); });
        if (!answer.ok) throw new Error(told.message || TROUBLE);
        return told;
      },
      show: ({ state, answer, error }) => {
        box.dataset.state = state;
        part("again").hidden = state !== "stopped";
        part("says").textContent = error || answer.says;
        if (!answer) return;
        const share = answer.total ? Math.min(1, answer.done / answer.total) : 1;
        part("bar").firstElementChild.style.width = `${Math.round(share * 100)}%`;
        for (const line of answer.lines ?? (answer.line ? [answer.line] : [])) {
          part("log").prepend(lineOf(box.ownerDocument, line));
        }
        if (answer.finished && answer.next) location.assign(answer.next);
      },
    });
    let cursor = box.dataset.cursor || "";
    const go = async () => {
      part("again").hidden = true;
      if (part("start")) part("start").hidden = true;
      box.dataset.state = "running";
      cursor = await steps.run(cursor);
    };
    part("again").addEventListener("click", go);
    if (part("start")) part("start").addEventListener("click", go);
    else go();
  }

  function lineOf(document, { text, href }) {
    const item = document.createElement("li");
    const inside = href ? item.appendChild(document.createElement("a")) : item;
    if (href) inside.setAttribute("href", href);
    inside.textContent = text;
    return item;
  }

  const api = { Steps, bind };
  root.DeskSteps = api;
  if (typeof module !== "undefined" && module.exports) module.exports = api;
  for (const box of root.document?.querySelectorAll("[data-steps]") ?? []) {
    bind(box, { fetch: root.fetch.bind(root), location: root.location, setTimeout: root.setTimeout.bind(root) });
  }
})(globalThis);

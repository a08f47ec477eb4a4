// The simulated phone: what a line shows, asked of the control plane every second. The class knows no DOM.

const POLL_MS = 1000;
const WRONG_PIN = "0000";

export class PhoneLine extends EventTarget {
  #fetch;
  #phone;
  #asked = 0;

  constructor({ fetch, phone = "" }) {
    super();
    this.#fetch = fetch;
    this.#phone = phone;
  }

  /** "" follows whichever line was prompted last. */
  choose(phone) {
    this.#phone = phone;
    return this.refresh();
  }

  /** Fires "shown" with {phone, lines, prompts, messages}, or "trouble". An answer that was overtaken is dropped. */
  async refresh() {
    const asked = ++this.#asked;
    try {
      const answer = await this.#fetch(`/control/prompts?phone=${encodeURIComponent(this.#phone)}`);
      const shown = await answer.json();
      if (asked !== this.#asked) return;
      this.dispatchEvent(new CustomEvent("shown", { detail: shown }));
    } catch {
      if (asked === this.#asked) this.dispatchEvent(new Event("trouble"));
    }
  }

  send(prompt, pin) {
    return this.#act(prompt, pin === WRONG_PIN ? "wrong_pin" : "pay");
  }

  cancel(prompt) {
    return this.#act(prompt, "cancel");
  }

  /** Resolves to what the phone says of it. */
  payByHand({ phone, shortCode, account, amount, pin }) {
    return this.#do("pay", { phone, short_code: shortCode, account, amount, pin });
  }

  takeBack(receipt) {
    return this.#do("reverse", { receipt });
  }

  async #do(what, body) {
    let said = "The simulator does not answer. Try again.";
    try {
      const answer = await this.#fetch(`/control/${what}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const told = await answer.json();
      said = answer.ok ? `Done: ${told.receipt}.` : told.error;
    } catch {
      this.dispatchEvent(new Event("trouble"));
    }
    await this.refresh();
    return said;
  }

  async #act(prompt, action) {
    try {
      await this.#fetch(`/control/prompts/${encodeURIComponent(prompt.checkout_request_id)}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ action }),
      });
    } catch {
      this.dispatchEvent(new Event("trouble"));
    }
    await this.refresh();
  }
}

function bind(document, line, pinned) {
  const at = (id) => document.getElementById(id);
  let open = null;

  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text; // else a live region would speak each second
  };

  const showLines = ({ phone, lines }) => {
    const wanted = pinned && !lines.includes(pinned) ? [pinned, ...lines] : lines;
    const options = [["", `Whichever was asked last${lines.length ? ` (${lines[0]})` : ""}`], ...wanted.map((each) => [each, each])];
    if (at("line").options.length !== options.length || at("line").dataset.lines !== wanted.join()) {
      at("line").replaceChildren(...options.map(([value, text]) => new Option(text, value)));
      at("line").dataset.lines = wanted.join();
      at("line").value = pinned;
    }
    at("line").dataset.phone = phone;
    if (!at("payer").value) at("payer").value = phone;
  };

  const showPrompt = (prompt) => {
    const another = prompt?.checkout_request_id !== open?.checkout_request_id;
    open = prompt ?? null;
    setText(at("prompt"), prompt?.text ?? "");
    at("prompt").hidden = !prompt;
    at("quiet").hidden = Boolean(prompt);
    at("answer").hidden = !prompt;
    if (!another) return;
    at("pin").value = "";
    at("send").disabled = at("cancel").disabled = false;
    if (prompt && document.activeElement === document.body) at("pin").focus();
  };

  const showMessages = ([newest, ...older]) => {
    setText(at("sms"), newest?.text ?? "No message yet.");
    at("sms").dataset.state = newest?.state ?? "none";
    at("older").replaceChildren(...older.map(({ text }) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
  };

  const act = (action) => {
    if (!open) return;
    at("send").disabled = at("cancel").disabled = true;
    action(open).finally(() => { at("send").disabled = at("cancel").disabled = false; });
  };

  line.addEventListener("shown", ({ detail }) => {
    at("trouble").hidden = true;
    showLines(detail);
    showPrompt(detail.prompts[0]);
    showMessages(detail.messages);
  });
  line.addEventListener("trouble", () => { at("trouble").hidden = false; });
  at("line").addEventListener("change", () => {
    pinned = at("line").value;
    line.choose(pinned);
  });
  at("answer").addEventListener("submit", (event) => {
    event.preventDefault();
    act((prompt) => line.send(prompt, at("pin").value));
  });
  const sayOf = async (form, doing) => {
    const button = form.querySelector("button");
    button.disabled = true;
    setText(at("said"), await doing);
    button.disabled = false;
  };
  at("by-hand").addEventListener("submit", (event) => {
    event.preventDefault();
    const [phone, shortCode, account, amount, pin] = ["payer", "number", "account", "amount", "hand-pin"].map((id) => at(id).value.trim());
    pinned = phone;
    line.choose(phone);
    sayOf(event.target, line.payByHand({ phone, shortCode, account, amount, pin }));
  });
  at("take-back").addEventListener("submit", (event) => {
    event.preventDefault();
    sayOf(event.target, line.takeBack(at("receipt").value.trim().toUpperCase()));
  });
  at("cancel").addEventListener("click", () => act((prompt) => line.cancel(prompt)));
}

if (typeof document !== "undefined") {
  const pinned = location.pathname.match(/^\/phone\/(\d{12})/)?.[1] ?? "";
  const line = new PhoneLine({ fetch: (...all) => fetch(...all), phone: pinned });
  bind(document, line, pinned);
  line.refresh();
  setInterval(() => line.refresh(), POLL_MS);
}

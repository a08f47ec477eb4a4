import assert from "node:assert/strict";
import { test } from "node:test";

import { load } from "./fakes.mjs";

const { Steps } = load("desk/steps");

function work(answers) {
  const asked = [], slept = [], shown = [];
  const steps = new Steps({
    post: async (cursor) => {
      asked.push(cursor);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    sleep: async (ms) => { slept.push(ms); },
    show: (told) => { shown.push(told); },
  });
  return { steps, asked, slept, shown };
}

test("it goes on from the cursor each answer names until it is finished", async () => {
  const { steps, asked, shown } = work([{ cursor: "7", says: "half" }, { cursor: "9", says: "all", finished: true }]);
  assert.equal(await steps.run(""), "9");
  assert.deepEqual(asked, ["", "7"]);
  assert.deepEqual(shown.map(({ state }) => state), ["running", "finished"]);
});

test("it waits as long as the server says before it asks again", async () => {
  const { steps, slept } = work([{ cursor: "1", wait_seconds: 12 }, { cursor: "2", finished: true }]);
  await steps.run("0");
  assert.deepEqual(slept, [12000]);
});

test("in trouble it stops, says so, and can go on from where it was", async () => {
  const { steps, asked, shown } = work([{ cursor: "5" }, new Error("The line is gone."), { cursor: "6", finished: true }]);
  const reached = await steps.run("");
  assert.equal(reached, "5");
  assert.deepEqual(shown.at(-1), { state: "stopped", error: "The line is gone." });
  await steps.run(reached);
  assert.deepEqual(asked, ["", "5", "5"]);
});

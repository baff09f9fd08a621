// The console stays quick however much there is: the API's part is played here, as busy as it gets.

import assert from "node:assert/strict";

import { shot, test } from "./harness.mjs";

const TASK_AT_MOST = 50;
const INPUT_AT_MOST = 200;
const HEAP_AT_MOST = 10 * 1024 * 1024;
/** How long the events are watched. */
const WATCHED_MS = 60_000;

/** @param {import("playwright-core").Page} page */
async function enter(page) {
  await page.route("**/api/users/me", (route) => route.fulfill({ json: { id: "usr_1", name: "Ada", email: "ada@example.com", role: "admin", email_confirmed: true, version: 1, created_at: new Date().toISOString(), updated_at: new Date().toISOString() } }));
  await page.addInitScript(() => {
    const seen = /** @type {any} */ (window);
    seen.__tasks = [];
    seen.__inputs = [];
    new PerformanceObserver((list) => seen.__tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask", buffered: true });
    new PerformanceObserver((list) => seen.__inputs.push(...list.getEntries().map(({ name, duration }) => [name, duration]))).observe(/** @type {any} */ ({ type: "event", buffered: true, durationThreshold: 16 }));
  });
}

/** @param {import("playwright-core").CDPSession} client */
async function heap(client) {
  await client.send("HeapProfiler.collectGarbage");
  return (await client.send("Runtime.getHeapUsage")).usedSize;
}

test("a hundred events a second are watched for a minute without a long task, and without growing", async (page, context) => {
  await enter(page);
  let number = 10_000;
  let last = Date.now();
  await page.route("**/api/monitor/events*", (route) => {
    number += Math.round((Date.now() - last) / 10);
    last = Date.now();
    const data = Array.from({ length: 50 }, (_, at) => {
      const id = `ord_${String(number - at).padStart(26, "0")}`;
      return { id: `${id}:1:order.created`, type: "order.created", subject: id, version: 1, time: new Date(last - at * 10).toISOString(), correlation_id: crypto.randomUUID(), actor: "guest", story_id: id };
    });
    return route.fulfill({ json: { data, next_cursor: "more", searched_back_to: data[49]?.time } });
  });
  const client = await context.newCDPSession(page);
  await page.goto("/console/events");
  await page.locator("tbody tr").nth(49).waitFor();
  await page.mouse.move(5, 5);
  // What the page needs once is no growth.
  await page.waitForFunction((subject) => document.querySelector("tbody .mono")?.textContent !== subject, await page.locator("tbody .mono").first().textContent());
  const before = await heap(client);
  await page.evaluate(() => (/** @type {any} */ (window).__tasks = []));
  const first = await page.locator("tbody .mono").first().textContent();
  await page.waitForTimeout(WATCHED_MS);
  const tasks = await page.evaluate(() => /** @type {number[]} */ (/** @type {any} */ (window).__tasks));
  const grown = (await heap(client)) - before;
  console.log(`       longest task ${Math.round(Math.max(0, ...tasks))} ms, heap grown by ${Math.round(grown / 1024)} KB`);
  assert.notEqual(await page.locator("tbody .mono").first().textContent(), first, "no event has arrived");
  assert.ok(Math.max(0, ...tasks) <= TASK_AT_MOST, `tasks took ${tasks.map(Math.round)} ms`);
  assert.ok(grown <= HEAP_AT_MOST, `the heap has grown by ${grown} bytes`);
  // And who types meanwhile sees it, on a machine that is four times slower.
  await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.evaluate(() => (/** @type {any} */ (window).__inputs = []));
  await page.getByLabel("Subject").pressSequentially("ord_00000000", { delay: 60 });
  await page.keyboard.press("Tab");
  const inputs = await page.evaluate(() => /** @type {[string, number][]} */ (/** @type {any} */ (window).__inputs));
  assert.ok(inputs.every(([, duration]) => duration <= INPUT_AT_MOST), `inputs were answered after ${JSON.stringify(inputs)}`);
});

test("a story of five hundred steps is usable, on a machine that is four times slower", async (page, context) => {
  await enter(page);
  const start = Date.now() - 3_600_000;
  const at = (/** @type {number} */ ms) => new Date(start + ms).toISOString();
  /** @type {any[]} */
  const nodes = [{ kind: "request", id: "request", at: at(0), correlation_id: "c" }];
  const edges = [];
  for (let step = 1; step < 500; step += 1) {
    const isEvent = step % 2 === 1;
    nodes.push(
      isEvent
        ? { kind: "event", id: `e${step}`, at: at(step * 40 + (step > 250 ? 1_800_000 : 0)), type: "inventory.updated", subject: "prod-1", version: step, correlation_id: "c", data: { available: step } }
        : { kind: "attempt", id: `a${step}`, at: at(step * 40 + (step > 250 ? 1_800_000 : 0)), ends_at: at(step * 40 + 20 + (step > 250 ? 1_800_000 : 0)), event_id: `e${step - 1}`, consumer: "index-products", attempt: 1, duration_ms: 20, outcome: "done" },
    );
    edges.push({ from: step < 3 ? "request" : nodes[Math.max(0, step - 3)].id, to: nodes[step].id, after_ms: 40 });
  }
  await page.route("**/api/monitor/stories/*", (route) => route.fulfill({ json: { id: "prod-1", about: "product", first_at: at(0), last_at: at(500), is_complete: true, searched_back_to: at(0), outstanding: 0, deliveries: [], nodes, edges } }));
  await page.goto("/console/stories/prod-1");
  await page.locator(".step").nth(499).waitFor();
  const client = await context.newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.locator(".step").first().focus();
  await page.evaluate(() => (/** @type {any} */ (window).__inputs = []));
  for (let presses = 0; presses < 20; presses += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".step[aria-pressed=true]").waitFor();
  await page.locator("pre, dl").first().waitFor();
  const inputs = await page.evaluate(() => /** @type {[string, number][]} */ (/** @type {any} */ (window).__inputs));
  const slowest = Math.max(0, ...inputs.map(([, duration]) => duration));
  console.log(`       slowest input ${Math.round(slowest)} ms`);
  assert.ok(slowest <= INPUT_AT_MOST, `inputs were answered after ${JSON.stringify(inputs.filter(([, duration]) => duration > 100))}`);
  await shot(page, "console-story-500", false);
});

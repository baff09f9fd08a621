// The console stays quick however much there is: a shop with ten thousand events, and a hundred more every second.

import assert from "node:assert/strict";

import { admin, placeOrder, product, settings, shot, test, until } from "./harness.mjs";

/** Of a processor, in milliseconds. */
const TASK_AT_MOST = 50;
/** From the key to the picture, in milliseconds. */
const INPUT_AT_MOST = 200;
const HEAP_AT_MOST = 10 * 1024 * 1024;
/** How long the events are watched. */
const WATCHED_MS = 60_000;
const EVENTS_BEFORE = 10_000;
const EVENTS_A_SECOND = 100;
const STEPS = 500;

/** Whether this is the shop of `cargo run`, which whoever asks without a token is an administrator of. */
const isDemo = async () => settings.admin === "" && (await fetch(`${settings.base}/api/faults`)).status === 200;

/** Observes how soon a page answers what is typed and clicked. @param {import("playwright-core").Page} page */
async function observeInputs(page) {
  await page.addInitScript(() => {
    const seen = /** @type {any} */ (window);
    seen.__inputs = [];
    new PerformanceObserver((list) => seen.__inputs.push(...list.getEntries().map(({ name, duration }) => [name, duration]))).observe(/** @type {any} */ ({ type: "event", buffered: true, durationThreshold: 16 }));
  });
}

/**
 * Watches what each task of the page takes of a processor: what else the machine does counts for nothing, as it would
 * in the browser's own "longtask", which goes by the clock. What this gives ends it, and gives the longest in milliseconds.
 * @param {import("playwright-core").CDPSession} client
 */
async function watchTasks(client) {
  /** @type {Map<string, number>} By the thread, in microseconds. */
  const longest = new Map();
  /** @type {Set<string>} */
  const pages = new Set();
  client.on("Tracing.dataCollected", ({ value }) => {
    for (const { name, pid, tid, tdur = 0, args } of /** @type {any[]} */ (value)) {
      const thread = `${pid}/${tid}`;
      if (name === "RunTask") longest.set(thread, Math.max(longest.get(thread) ?? 0, tdur));
      if (name === "thread_name" && args.name === "CrRendererMain") pages.add(thread);
    }
  });
  await client.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["disabled-by-default-devtools.timeline"], excludedCategories: ["*"] } });
  return async () => {
    const complete = new Promise((resolve) => client.once("Tracing.tracingComplete", resolve));
    await client.send("Tracing.end");
    await complete;
    const tasks = [...pages].map((thread) => longest.get(thread) ?? 0);
    assert.ok(Math.max(0, ...tasks) > 0, "no task of the page was seen");
    return Math.max(...tasks) / 1000;
  };
}

/** How many events the journal has of a time; it is asked page by page. @param {string} from @param {string} to */
async function eventsBetween(from, to) {
  let count = 0;
  let cursor;
  do {
    const query = new URLSearchParams({ from, to, limit: "100", ...(cursor !== undefined && { cursor }) });
    /** @type {{ data: unknown[], next_cursor: string | undefined }} */
    const { data, next_cursor } = await admin("GET", `/monitor/events?${query}`);
    count += data.length;
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined);
  return count;
}

/** @param {import("playwright-core").CDPSession} client */
async function heap(client) {
  await client.send("HeapProfiler.collectGarbage");
  return (await client.send("Runtime.getHeapUsage")).usedSize;
}

test("ten thousand events are there and a hundred a second arrive for a minute, without a long task, and without growing", async (page, context) => {
  if (!(await isDemo())) return console.log("       not looked at: this is not the shop of cargo run");
  await observeInputs(page);
  const began = new Date().toISOString();
  const { id } = await product({ stock: 100_000 });
  // Ten at once, until there are so many; an order makes six events and more.
  let placed = 0;
  await Promise.all(Array.from({ length: 10 }, async () => {
    while (placed++ < EVENTS_BEFORE / 6) await placeOrder(id);
  }));
  await until(() => eventsBetween(began, new Date().toISOString()), (count) => count >= EVENTS_BEFORE, "the events are not in the journal", 60);

  const client = await context.newCDPSession(page);
  await page.goto("/console/events");
  await page.locator("tbody tr").nth(49).waitFor();
  await page.mouse.move(5, 5);
  // Twenty-five orders a second, evenly, and none waits for the one before.
  /** @type {Promise<unknown>[]} */
  const orders = [];
  const flood = setInterval(() => orders.push(placeOrder(id)), 40);
  try {
    // What the page needs once is no growth.
    const old = await page.locator("tbody .mono").first().textContent();
    await page.waitForFunction((subject) => document.querySelector("tbody .mono")?.textContent !== subject, old);
    const before = await heap(client);
    const from = new Date();
    const longestTask = await watchTasks(client);
    await page.waitForTimeout(WATCHED_MS);
    const longest = await longestTask();
    const to = new Date();
    const grown = (await heap(client)) - before;
    // And who types meanwhile sees it, on a machine that is four times slower.
    await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.evaluate(() => (/** @type {any} */ (window).__inputs = []));
    await page.getByLabel("Subject").pressSequentially("ord_00000000", { delay: 60 });
    await page.keyboard.press("Tab");
    const inputs = await page.evaluate(() => /** @type {[string, number][]} */ (/** @type {any} */ (window).__inputs));
    clearInterval(flood);
    await Promise.all(orders);
    const seconds = (to.getTime() - from.getTime()) / 1000;
    const count = await eventsBetween(from.toISOString(), to.toISOString());
    console.log(`       ${Math.round(count / seconds)} events a second for ${Math.round(seconds)} s; longest task ${longest.toFixed(1)} ms of a processor, heap grown by ${Math.round(grown / 1024)} KB`);
    assert.ok(count / seconds >= EVENTS_A_SECOND, `there were only ${count} events in ${seconds} s`);
    assert.ok(longest <= TASK_AT_MOST, `a task took ${longest.toFixed(1)} ms of a processor`);
    assert.ok(grown <= HEAP_AT_MOST, `the heap has grown by ${grown} bytes`);
    assert.ok(inputs.every(([, duration]) => duration <= INPUT_AT_MOST), `inputs were answered after ${JSON.stringify(inputs)}`);
  } finally {
    clearInterval(flood);
    await Promise.allSettled(orders);
  }
});

test("a story of five hundred steps is usable, on a machine that is four times slower", async (page, context) => {
  if (!(await isDemo())) return console.log("       not looked at: this is not the shop of cargo run");
  await observeInputs(page);
  const { id } = await product({ stock: 1000 });
  // Each is an event, and an attempt of each consumer that has something to do for it.
  for (let changes = 0; changes < STEPS / 2; changes += 1) await admin("PATCH", `/products/${id}/stock`, { stock: 1000 + changes });
  const { nodes } = await until(() => admin("GET", `/monitor/stories/${id}`), (story) => story.nodes.length >= STEPS, "there are no 500 steps", 60);
  await page.goto(`/console/stories/${id}`);
  await page.locator(".step").nth(nodes.length - 1).waitFor();
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

import assert from "node:assert/strict";

import { PASSWORD, admin, product, putInCart, register, shot, stockOf, test, until } from "./harness.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** The page is still the one that was loaded. @param {Page} page */
const mark = (page) => page.evaluate(() => void (/** @type {any} */ (window).__mark = true));
/** @param {Page} page */
const isMarked = (page) => page.evaluate(() => /** @type {any} */ (window).__mark === true);

/** From the home page's search to the order's page. @param {Page} page @param {{ name: string }} wanted */
async function searchAndOrder(page, { name }, email = "") {
  await page.getByRole("combobox", { name: "Search the shop" }).fill(name);
  await page.getByRole("option", { name }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
  await page.getByRole("button", { name: "One more" }).click();
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.locator(".toast").getByRole("link", { name: "To the cart" }).click();
  await page.getByRole("heading", { name: "Cart", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Checkout" }).click();
  if (email !== "") await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
}

/** Whoever searches finds what was just put in. @param {Page} page @param {{ name: string }} one */
async function isFound(page, { name }) {
  await until(
    async () => {
      await page.goto(`/find?q=${encodeURIComponent(name)}`);
      await page.locator(".grid .card:not(.skeleton), .empty h2").first().waitFor();
      return page.locator(".card .name", { hasText: name }).count();
    },
    (count) => count > 0,
    `the search does not find ${name}`,
    // Caches may keep a list for a minute.
    75,
  );
}

test("a guest goes from the search to a confirmed order without a reload", async (page) => {
  // A new shop's index is there within moments, and the categories with it.
  await until(
    async () => {
      await page.goto("/");
      await page.waitForLoadState("networkidle");
      return page.locator("a.tile").count();
    },
    (count) => count > 0,
    "the home page has no categories",
    60,
  );
  // The README's, before any other test has put up products.
  await shot(page, "storefront");
  const one = await product();
  await isFound(page, one);
  await page.goto("/");
  await mark(page);
  await searchAndOrder(page, one, "guest@example.com");
  assert.ok(await isMarked(page), "the page was loaded anew");
  await shot(page, "order-confirmed");
  assert.equal(await page.evaluate(() => localStorage.getItem("cart")), null, "the cart is empty again");
  const { stock } = await stockOf(one.id);
  assert.equal(stock, 18, "two of twenty are gone");
  // The way back leads to the cart, and past the checkout that is over.
  await page.goBack();
  await page.getByRole("heading", { name: "Your cart is empty" }).waitFor();
  await page.goForward();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
});

test("a customer goes from the search to a confirmed order without a reload, and finds it in the account", async (page) => {
  const one = await product();
  await isFound(page, one);
  await register(page);
  await mark(page);
  await searchAndOrder(page, one);
  await page.getByRole("link", { name: "Your orders" }).first().click();
  await page.locator(".order-row", { hasText: one.name }).waitFor();
  assert.ok(await isMarked(page), "the page was loaded anew");
  await shot(page, "own-orders");
});

test("a cart is kept as ids and quantities, and nothing else", async (page) => {
  const one = await product();
  await putInCart(page, one);
  const kept = JSON.parse((await page.evaluate(() => localStorage.getItem("cart"))) ?? "null");
  assert.deepEqual(kept, [{ id: one.id, quantity: 1 }]);
});

test("two clicks make one order", async (page) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("twice@example.com");
  /** @type {string[]} */
  const keys = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/orders")) keys.push(request.headers()["idempotency-key"] ?? "");
  });
  await page.getByRole("button", { name: "Place order" }).dblclick();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  assert.equal(keys.length, 1);
  assert.equal((await stockOf(one.id)).stock, 19);
});

test("two tabs that order one cart make one order", async (page, context) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  const other = await context.newPage();
  await other.goto("/checkout");
  const button = (/** @type {Page} */ tab) => tab.getByRole("button", { name: "Place order" });
  for (const tab of [page, other]) await tab.getByLabel("E-mail").fill("tabs@example.com");
  // The first tab's order is on its way while the second one's is asked for.
  /** @type {() => void} */
  let go = () => undefined;
  const held = new Promise((resolve) => (go = () => resolve(undefined)));
  let sent = 0;
  await context.route("**/api/orders", async (route) => {
    sent += 1;
    await held;
    await route.continue();
  });
  await button(page).click();
  await until(async () => sent, (count) => count === 1, "nothing is sent");
  await button(other).click();
  go();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  await other.getByRole("heading", { name: "There is nothing to order" }).waitFor();
  assert.equal(sent, 1, "the other tab has sent an order");
  const { stock } = await stockOf(one.id);
  assert.equal(stock, 19, "one of twenty is gone");
});

test("an answer that gets lost, a reload and another try make one order", async (page) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("lost@example.com");
  /** @type {string[]} */
  const keys = [];
  await page.route("**/api/orders", async (route) => {
    keys.push(route.request().headers()["idempotency-key"] ?? "");
    // The shop has taken the order, and the browser never hears of it.
    if (keys.length === 1) {
      await route.fetch();
      await route.abort();
    } else await route.continue();
  });
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByText("We do not know whether your order arrived").waitFor();
  await page.reload();
  assert.equal(await page.getByLabel("E-mail").inputValue(), "lost@example.com", "what was typed is kept");
  await page.getByText("its answer did not come").waitFor();
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1], "one attempt has one key");
  assert.equal((await stockOf(one.id)).stock, 19);
});

test("an order that was taken unheard is shown, though the cart has changed since", async (page) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("changed@example.com");
  let tries = 0;
  await page.route("**/api/orders", async (route) => {
    tries += 1;
    if (tries > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByText("We do not know whether your order arrived").waitFor();
  await page.getByRole("link", { name: "Change the cart" }).click();
  await page.getByRole("button", { name: "One more" }).click();
  await page.getByRole("link", { name: "Checkout" }).click();
  await page.getByRole("button", { name: "Place order" }).click();
  await page.locator(".toast").getByText("Your earlier order had arrived after all").waitFor();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  assert.equal((await stockOf(one.id)).stock, 19, "the first was ordered, and the second not");
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem("cart") ?? "[]")[0].quantity), 2, "the cart is as it was left");
});

test("a price that changed meanwhile is shown beside the old one, and nothing is ordered", async (page) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("price@example.com");
  await page.locator(".summary .total", { hasText: "$24.50" }).waitFor();
  await admin("PATCH", `/products/${one.id}`, { price: 26 });
  await page.getByRole("button", { name: "Place order" }).click();
  const notice = page.getByRole("alert");
  await notice.getByText("Prices have changed meanwhile").waitFor();
  assert.equal(await notice.locator("s").textContent(), "$24.50");
  assert.equal(await notice.locator("li strong").textContent(), "$26.00");
  await shot(page, "price-changed");
  assert.equal((await stockOf(one.id)).stock, 20);
  await page.locator(".summary .total", { hasText: "$26.00" }).waitFor();
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
});

test("an order's page follows the order, and a hidden tab asks for nothing", async (page) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("live@example.com");
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  const id = new URL(page.url()).pathname.split("/")[2];

  // From here on time is ours: asked 1.5, 2, 4, 8 and 8 s after the answer before.
  await page.clock.install();
  await page.reload();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  let asked = 0;
  page.on("response", (response) => {
    if (response.url().endsWith(`/api/orders/${id}`)) asked += 1;
  });
  let expected = 0;
  for (const pause of [1500, 2000, 4000, 8000, 8000]) {
    await page.clock.runFor(pause - 100);
    assert.equal(asked, expected, `it is asked before ${pause} ms are over`);
    await page.clock.runFor(200);
    expected += 1;
    await until(async () => asked, (count) => count === expected, `it is not asked after ${pause} ms`);
    await page.clock.runFor(0);
  }
  const setHidden = (/** @type {boolean} */ hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await setHidden(true);
  await page.clock.runFor(120_000);
  assert.equal(asked, expected, "a hidden tab has asked");
  await admin("PATCH", `/orders/${id}/status`, { status: "shipped", tracking_number: "1Z999AA10123456784" });
  await setHidden(false);
  await page.getByRole("heading", { name: "Your order is on its way" }).waitFor();
  await page.getByText("1Z999AA10123456784").waitFor();
  await page.clock.runFor(100);
  assert.equal(await page.locator("[aria-live=polite]").textContent(), "Your order is on its way", "and it is said");
  await shot(page, "order-shipped");
});

test("an order can be cancelled, and its stock is for sale again", async (page) => {
  const one = await product();
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("cancel@example.com");
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await page.getByRole("heading", { name: "Your order is cancelled" }).waitFor();
  await until(() => stockOf(one.id), ({ stock }) => stock === 20, "the stock is not for sale again");
});

test("an order that cannot be filled says what was short", async (page) => {
  const one = await product({ stock: 2 });
  await putInCart(page, one);
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("short@example.com");
  await page.locator(".summary .total", { hasText: "$24.50" }).waitFor();
  await admin("PATCH", `/products/${one.id}/stock`, { stock: 0 });
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "We could not fill your order" }).waitFor();
  await page.getByText("you asked for 1, and it is sold out").waitFor();
  await shot(page, "order-rejected");
});

test("a customer's session outlives a reload, and ends everywhere when one signs out", async (page, context) => {
  const email = await register(page);
  await page.reload();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
  const other = await context.newPage();
  await other.goto("/");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("navigation", { name: "Yours" }).getByRole("link", { name: "Sign in" }).waitFor();
  await other.getByRole("link", { name: "Sign in" }).waitFor();
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(`${PASSWORD}!`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("do not belong together").waitFor();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
});

test("a session that a tab renews while another signs out is over in both", async (page, context) => {
  await register(page);
  const other = await context.newPage();
  /** @type {() => void} */
  let release = () => undefined;
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  const asked = new Promise((resolve) => {
    void other.route("**/api/sessions/refresh", async (route) => {
      const answer = await route.fetch();
      resolve(undefined);
      await released;
      await route.fulfill({ response: answer });
    });
  });
  await other.goto("/");
  await asked;
  const signedOut = page.waitForResponse((answer) => answer.request().method() === "DELETE");
  await page.getByRole("button", { name: "Sign out" }).click();
  const ended = other.waitForResponse((answer) => answer.request().method() === "DELETE");
  // The tab that holds the answer holds the lock: whoever signs out does not wait for it for ever.
  await signedOut;
  release();
  await ended;
  for (const tab of [page, other]) {
    await tab.getByRole("navigation", { name: "Yours" }).getByRole("link", { name: "Sign in" }).waitFor();
  }
  await until(() => context.cookies(), (left) => left.length === 0, "the cookie is still there");
  await other.reload();
  await other.getByRole("navigation", { name: "Yours" }).getByRole("link", { name: "Sign in" }).waitFor();
});

test("ten tabs that renew their session at once stay signed in, and no script holds what renews it", async (page, context) => {
  await register(page);
  const tabs = await Promise.all(Array.from({ length: 10 }, () => context.newPage()));
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(tabs.map((tab) => tab.goto("/account")));
    await Promise.all(tabs.map((tab) => tab.getByRole("heading", { name: "Your account" }).waitFor()));
  }
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.doesNotMatch(kept, /rt1\.|eyJ/, "a token is kept where scripts read it");
  assert.equal(await page.evaluate(() => document.cookie), "");
  const [cookie, ...others] = await context.cookies();
  assert.deepEqual(others, []);
  const { name, httpOnly, secure, sameSite, path } = cookie ?? assert.fail("there is no cookie");
  assert.deepEqual({ name, httpOnly, secure, sameSite, path }, { name: "__Host-refresh", httpOnly: true, secure: true, sameSite: "Strict", path: "/" });
  // The lock ends with its tab: the API bears two at once, too.
  const statuses = await page.evaluate(() => Promise.all(Array.from({ length: 10 }, async () => (await fetch("/api/sessions/refresh", { method: "POST", headers: { "session-transport": "cookie" } })).status)));
  assert.deepEqual(new Set(statuses), new Set([200]));
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).click();
  await Promise.all(tabs.map((tab) => tab.getByRole("heading", { name: "You are not signed in" }).waitFor()));
  await until(() => context.cookies(), (left) => left.length === 0, "the cookie is still there");
});

test("by keyboard alone: search, look, order", async (page) => {
  const one = await product();
  await isFound(page, one);
  await page.goto("/");
  await page.locator(".card:not(.skeleton)").first().waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type(one.name);
  await page.getByRole("option", { name: one.name }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: one.name, level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1", "reading begins at the heading");
  const tabTo = async (/** @type {string} */ label) => {
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => (document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim());
      if (at === label) return;
    }
    assert.fail(`no Tab leads to ${label}`);
  };
  await tabTo("Add to cart");
  await page.keyboard.press("Enter");
  await page.locator(".toast").waitFor();
  await tabTo("To the cart");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Cart", level: 1 }).waitFor();
  await tabTo("Checkout");
  await page.keyboard.press("Enter");
  await page.getByLabel("E-mail").focus();
  await page.keyboard.type("keys@example.com");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
});

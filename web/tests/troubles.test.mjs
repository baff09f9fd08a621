import assert from "node:assert/strict";

import { product, putInCart, register, shot, stockOf, test, unique, until } from "./harness.mjs";
import { HTML } from "./rules.mjs";

test("a product that is sold out says so, and cannot be put into the cart", async (page) => {
  const one = await product({ stock: 0 });
  await page.goto(`/p/${one.id}`);
  await page.getByText("It may come back").waitFor();
  assert.ok(await page.getByRole("button", { name: "Sold out" }).isDisabled());
  await shot(page, "sold-out");
});

test("a cart says what cannot be ordered as it is", async (page) => {
  const few = await product({ stock: 2 });
  const none = await product({ stock: 0 });
  await page.goto("/");
  await page.evaluate((lines) => localStorage.setItem("cart", JSON.stringify(lines)), [
    { id: few.id, quantity: 3 },
    { id: none.id, quantity: 1 },
    { id: unique("nothing"), quantity: 1 },
  ]);
  await page.goto("/cart");
  await page.getByText("Only 2 left").waitFor();
  await page.locator(".mistake", { hasText: "Sold out" }).waitFor();
  await page.getByText("Not for sale any more").waitFor();
  assert.ok(await page.getByRole("button", { name: "Checkout" }).isDisabled());
  await shot(page, "cart-troubles");
  await page.getByRole("button", { name: "Take 2" }).click();
  for (const left of [2, 1]) {
    await page.locator(".line", { has: page.locator(".mistake") }).first().locator(".remove").click();
    await page.waitForFunction((count) => document.querySelectorAll(".line").length === count, left);
  }
  await page.getByRole("link", { name: "Checkout" }).waitFor();
});

test("an unknown address is a 404 with a way back, and so is an unknown product", async (page) => {
  const answer = await page.goto("/no/such/page");
  assert.equal(answer?.status(), 404);
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  await shot(page, "not-found");
  await page.getByRole("link", { name: "To the shop" }).click();
  await page.getByRole("heading", { name: "New in" }).waitFor();
  await page.goto(`/p/${unique("nothing")}`);
  await page.getByRole("heading", { name: "This product is not for sale any more" }).waitFor();
  await page.goto("/o/ord_06h1kwd5nf51teyy1z3q0kvfd4");
  await page.getByRole("heading", { name: "We cannot show this order" }).waitFor();
});

test("without a network the pages say so, and go on when it is back", async (page, context) => {
  const one = await product();
  await putInCart(page, one);
  await context.setOffline(true);
  await page.getByText("You are offline").waitFor();
  await page.getByRole("link", { name: "Shop", exact: true }).first().click();
  await page.getByText("We cannot reach the shop").or(page.getByText("The products did not come")).first().waitFor();
  await shot(page, "offline");
  await context.setOffline(false);
  await page.getByRole("button", { name: "Try again" }).first().click();
  await page.locator(".card:not(.skeleton)").first().waitFor();
  assert.equal(await page.getByText("You are offline").count(), 0);
});

test("what people write is text everywhere", async (page) => {
  page.on("dialog", (dialog) => assert.fail(`a script of a name ran: ${dialog.message()}`));
  const word = unique("evil");
  const one = await product({ name: `${HTML} ${word}`, category: `<b>${word}</b>`, description: `<script>alert(2)</script>${HTML}` });
  await register(page, HTML);
  assert.equal(await page.getByRole("textbox", { name: "Name" }).inputValue(), HTML);
  const check = async (/** @type {string} */ where) => {
    assert.equal(await page.locator("img[src=x], main script, main b").count(), 0, `${where} made elements of a name`);
    assert.ok(await page.getByText(HTML).count(), `${where} does not show the name`);
  };
  await page.goto(`/p/${one.id}`);
  await page.getByRole("heading", { level: 1 }).getByText(word).waitFor();
  await check("the product's page");
  assert.ok((await page.title()).includes(HTML));
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.locator(".toast").getByRole("link", { name: "To the cart" }).waitFor();
  await check("the toast");
  await page.goto(`/find?q=${encodeURIComponent(HTML)}`);
  await page.getByRole("heading", { level: 1 }).getByText(HTML).waitFor();
  await check("the page of results");
  await page.goto("/cart");
  await page.getByRole("link", { name: "Checkout" }).waitFor();
  await check("the cart");
  await page.getByRole("link", { name: "Checkout" }).click();
  await page.getByText("Signed in as").waitFor();
  await check("the checkout");
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  await check("the order's page");
  await shot(page, "names-are-text");
  await page.goto("/account/orders");
  await page.locator(".order-row", { hasText: word }).waitFor();
  await check("the list of orders");
});

test("what API Gateway itself refuses with is said in words, and nobody is sent away for it", async (page) => {
  await putInCart(page, await product());
  await page.goto("/checkout");
  await page.getByLabel("E-mail").fill("busy@example.com");
  await page.route("**/api/orders", (route) => route.fulfill({ status: 503, json: { message: "Service Unavailable" } }));
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("alert").getByText("The shop has a problem of its own").waitFor();
  await page.route("**/api/users/me", (route) => route.fulfill({ status: 429, json: { message: "Too Many Requests" } }));
  await page.goto("/console");
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  assert.equal(await page.getByText("no administrator").count(), 0);
});

test("a search that the shop has is used, in its own words", async (page) => {
  const found = { id: "kettle-1", name: "Kettle", highlight: [{ text: "Kettle", hit: true }], price: 30, currency: "USD", category: "kitchen", image_url: null, version: 1 };
  /** @type {string[]} */
  const asked = [];
  await page.route("**/api/search?*", (route) => {
    const query = new URL(route.request().url()).searchParams;
    asked.push(query.toString());
    const isSecond = query.get("cursor") === "second";
    const data = isSecond ? [{ ...found, id: "kettle-2", name: "Second kettle", in_stock: false }] : [{ ...found, in_stock: true }];
    return route.fulfill({ json: { data, next_cursor: isSecond ? null : "second", total: 2, facets: { categories: [], prices: [] }, indexed_at: null } });
  });
  await page.route("**/api/search/suggestions?*", (route) => route.fulfill({ json: { data: [{ text: "Kettle", highlight: [], product_id: "kettle-1" }] } }));
  await page.goto("/find?q=kettel&sort=price&max=50&in_stock=true");
  await page.locator(".title-row").getByText("2 products").waitFor();
  assert.equal(asked[0], "q=kettel&max_price=50&in_stock=true&sort=price&limit=24");
  await page.locator(".card", { hasText: "In stock" }).waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator(".card", { hasText: "Second kettle" }).getByText("Sold out").waitFor();
  // Every letter changes the results, without a step in the history for each.
  await page.getByRole("combobox", { name: "Search the shop" }).fill("kettle");
  await page.getByRole("heading", { name: "kettle", level: 1 }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("q"), "kettle");
  assert.equal(await page.evaluate(() => history.length), 2);
  await page.goto("/");
  await page.getByRole("combobox", { name: "Search the shop" }).fill("ket");
  await page.getByRole("option", { name: "Kettle" }).waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Search the shop" }).getAttribute("aria-expanded"), "true");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("combobox", { name: "Search the shop" }).getAttribute("aria-expanded"), "false");
});

test("a link to another site is no way on from the sign-in page", async (page) => {
  await page.goto("/sign-in?next=https://evil.example/");
  const link = await page.getByRole("link", { name: "Make an account" }).getAttribute("href");
  assert.equal(link, "/register?next=%2Faccount");
});

test("an address that is none is no way on from the sign-in page", async (page) => {
  await page.goto("/sign-in?next=http://[");
  const link = await page.getByRole("link", { name: "Make an account" }).getAttribute("href");
  assert.equal(link, "/register?next=%2Faccount");
});

test("a cart and a checkout know what another tab puts in", async (page, context) => {
  await putInCart(page, await product());
  await page.goto("/cart");
  await page.getByRole("link", { name: "Checkout" }).waitFor();
  const other = await context.newPage();
  const second = await product();
  await putInCart(other, second);
  await page.locator(".line").getByText(second.name).waitFor();
  await page.getByRole("link", { name: "Checkout" }).click();
  await page.locator(".summary .total", { hasText: "$49.00" }).waitFor();
  const third = await product();
  await putInCart(other, third);
  await page.locator(".line").getByText(third.name).waitFor();
  await page.locator(".summary .total", { hasText: "$73.50" }).waitFor();
  await page.getByLabel("E-mail").fill("tabs@example.com");
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
  assert.equal((await stockOf(third.id)).stock, 19);
});

for (const status of [429, 503]) {
  test(`a shop that is busy has not lost a guest's orders: ${status}`, async (page) => {
    const one = await product();
    await putInCart(page, one);
    await page.goto("/checkout");
    await page.getByLabel("E-mail").fill("guest@example.com");
    await page.getByRole("button", { name: "Place order" }).click();
    await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
    await page.route("**/api/orders/*", (route) => route.fulfill({ status, json: { message: "Not now" } }));
    await page.goto("/account/orders");
    await page.getByText(status === 429 ? "That was too often" : "The shop has a problem of its own").waitFor();
    assert.equal(await page.getByText("No orders yet").count(), 0);
    await page.unroute("**/api/orders/*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".order-row", { hasText: one.name }).waitFor();
  });
}

test("a search that fails has found neither nothing nor what the one before found", async (page) => {
  const found = { id: "kettle-1", name: "Kettle", highlight: [], price: 30, currency: "USD", category: "kitchen", image_url: null, version: 1, in_stock: true };
  let isIll = false;
  await page.route("**/api/search?*", (route) => {
    if (isIll) return route.fulfill({ status: 503, json: { message: "Service Unavailable" } });
    const data = new URL(route.request().url()).searchParams.get("q") === "kettle" ? [found] : [];
    return route.fulfill({ json: { data, next_cursor: null, total: data.length, facets: { categories: [], prices: [] }, indexed_at: null } });
  });
  const failed = page.getByRole("heading", { name: "The products did not come" });
  const box = page.getByRole("combobox", { name: "Search the shop" });
  await page.goto("/find?q=kettle");
  await page.locator(".card", { hasText: "Kettle" }).waitFor();
  isIll = true;
  await box.fill("lamp");
  await failed.waitFor();
  assert.equal(await page.locator(".grid .card").count(), 0, "the kettle is no lamp");
  isIll = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("heading", { name: "Nothing found" }).waitFor();
  isIll = true;
  await box.fill("lamps");
  await failed.waitFor();
  assert.equal(await page.getByRole("heading", { name: "Nothing found" }).count(), 0);
});

test("a second click on a slow “Show more” lists no order twice", async (page) => {
  await register(page);
  const at = new Date().toISOString();
  const row = (/** @type {string} */ id) => ({ id, status: "confirmed", items: [{ product_id: "kettle-1", name: `Kettle of ${id}`, quantity: 1, price: 1, line_total: 1 }], total_amount: 1, currency: "USD", version: 2, created_at: at, updated_at: at });
  let asked = 0;
  /** @type {() => void} */
  let release = () => undefined;
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  await page.route("**/api/orders?*", async (route) => {
    if (!route.request().url().includes("cursor=")) return route.fulfill({ json: { data: [row("ord_1")], next_cursor: "second" } });
    asked += 1;
    await released;
    return route.fulfill({ json: { data: [row("ord_2")], next_cursor: null } });
  });
  await page.goto("/account/orders");
  await page.getByRole("button", { name: "Show more" }).dblclick();
  await until(async () => asked, (count) => count > 0, "nothing is asked for");
  release();
  await page.locator(".order-row", { hasText: "Kettle of ord_2" }).first().waitFor();
  await page.waitForLoadState("networkidle");
  assert.equal(await page.locator(".order-row").count(), 2);
});

test("where a browser keeps nothing, the shop works as long as its page", async (page) => {
  await page.addInitScript(() => {
    const refuse = { get: () => { throw new DOMException("Access is denied for this document.", "SecurityError"); } };
    Object.defineProperty(window, "localStorage", refuse);
    Object.defineProperty(window, "sessionStorage", refuse);
    // Chromium's locks are refused together with them.
    navigator.locks.request = () => Promise.reject(new DOMException("Access to the Locks API is denied in this context.", "SecurityError"));
  });
  await putInCart(page, await product());
  await page.getByRole("button", { name: "Add to cart" }).click();
  await page.locator(".badge", { hasText: "2" }).waitFor();
  await page.locator(".toast").getByRole("link", { name: "To the cart" }).click();
  await page.getByRole("link", { name: "Checkout" }).click();
  await page.getByLabel("E-mail").fill("private@example.com");
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
});

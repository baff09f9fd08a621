// One browser, several people: whose session it is changes while pages are open.

import assert from "node:assert/strict";

import { product, putInCart, register, test, until } from "./harness.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** What the page sends to place orders. @param {Page} page */
function ordersOf(page) {
  /** @type {any[]} */
  const sent = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/orders")) sent.push(request.postDataJSON());
  });
  return sent;
}

/** Orders what is in the cart, as a customer. @param {Page} page */
async function order(page) {
  await page.goto("/checkout");
  await page.getByText("Signed in as").waitFor();
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
}

/** Signs out by the page, whoever is signed in. @param {Page} page */
async function signOut(page) {
  await page.getByRole("navigation", { name: "Yours" }).getByRole("link", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "New in" }).waitFor();
}

for (const how of ["the page knows it", "the API says so"]) {
  test(`a customer whose session is over is told, and orders nothing as a guest unasked: ${how}`, async (page, context) => {
    await register(page);
    await putInCart(page, await product());
    await page.goto("/checkout");
    await page.getByText("Signed in as").waitFor();
    await context.clearCookies();
    let refused = 0;
    if (how === "the page knows it") await page.clock.setSystemTime(Date.now() + 3_600_000);
    else {
      await page.route("**/api/orders", (route) => {
        if (route.request().headers().authorization === undefined) return route.continue();
        refused += 1;
        return route.fulfill({ status: 401, json: { type: "about:blank", title: "Unauthorized", status: 401, code: "invalid_token" } });
      });
    }
    const sent = ordersOf(page);
    await page.getByRole("button", { name: "Place order" }).click();
    const told = page.getByRole("alert").filter({ hasText: "Your session is over" });
    await told.getByRole("link", { name: "Sign in" }).waitFor();
    assert.equal(sent.length, refused, "it is sent as a guest's");
    await page.getByLabel("E-mail").fill("over@example.com");
    await page.getByRole("button", { name: "Place order" }).click();
    await page.getByRole("heading", { name: "Your order is confirmed" }).waitFor();
    assert.equal(sent.at(-1).email, "over@example.com");
  });
}

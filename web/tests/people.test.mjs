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

test("a tab shows the account of who is signed in now, and changes no other", async (page, context) => {
  await register(page, "Ada Lovelace");
  await page.getByRole("textbox", { name: "Name" }).fill("Ada King");
  const other = await context.newPage();
  await other.goto("/account");
  await signOut(other);
  await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  const email = await register(other, "Grace Hopper");
  const name = page.getByRole("textbox", { name: "Name" });
  await until(() => name.inputValue(), (value) => value === "Grace Hopper", "the account is another's");
  await page.getByRole("region", { name: "E-mail", exact: true }).getByText(email).waitFor();
});

test("a tab lists the orders of who is signed in now, and the checkout says who orders", async (page, context) => {
  const one = await product();
  await register(page);
  await putInCart(page, one);
  await order(page);
  await page.getByRole("link", { name: "Your orders" }).first().click();
  await page.locator(".order-row", { hasText: one.name }).waitFor();
  const checkout = await context.newPage();
  await putInCart(checkout, one);
  await checkout.goto("/checkout");
  const other = await context.newPage();
  await other.goto("/");
  await signOut(other);
  await page.getByRole("heading", { name: "No orders yet" }).waitFor();
  await checkout.getByLabel("E-mail").waitFor();
  const email = await register(other, "Grace Hopper");
  await page.getByText("What you order is listed here.").waitFor();
  await checkout.getByText(`Signed in as ${email}`).waitFor();
});

test("who signs out leaves no order behind the way back", async (page) => {
  await register(page);
  await putInCart(page, await product());
  await order(page);
  await signOut(page);
  await page.goBack();
  await page.getByRole("heading", { name: "We cannot show this order" }).waitFor();
});

test("an order that the shop shows no more is shown no more", async (page) => {
  await register(page);
  await putInCart(page, await product());
  await order(page);
  await page.route("**/api/orders/*", (route) => route.fulfill({ status: 404, json: { type: "about:blank", title: "Not Found", status: 404, code: "not_found" } }));
  await page.getByRole("heading", { name: "We cannot show this order" }).waitFor();
});

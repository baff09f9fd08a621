import assert from "node:assert/strict";

import { HTML, check, VIEWS } from "./rules.mjs";
import { admin, product, settings, shot, stockOf, test, unique, until } from "./harness.mjs";

/** An order of a guest, through the API. @param {{ id: string }} one */
async function order({ id }) {
  const answer = await fetch(`${settings.base}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "session-transport": "cookie" },
    body: JSON.stringify({ items: [{ product_id: id, quantity: 1 }] }),
  });
  assert.equal(answer.status, 201);
  const placed = await answer.json();
  return until(() => admin("GET", `/orders/${placed.id}`), ({ status }) => status === "confirmed", "the order is not confirmed");
}

/** Into the console: in the demo whoever opens it is let in. @param {import("playwright-core").Page} page */
async function enter(page, path = "/console") {
  await page.goto(path);
  await page.locator("main h1").first().waitFor();
  if (settings.admin === "") return;
  const at = settings.admin.indexOf(":");
  await page.getByLabel("E-mail").fill(settings.admin.slice(0, at));
  await page.getByLabel("Password").fill(settings.admin.slice(at + 1));
  await page.keyboard.press("Enter");
  await page.getByRole("navigation", { name: "Console" }).waitFor();
}

test("an operator finds an order, ships it and marks it as delivered, by keyboard alone", async (page) => {
  const placed = await order(await product());
  await enter(page);
  await page.locator("body").press("/");
  await page.keyboard.type(placed.id);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "confirmed" }).waitFor();
  const tabTo = async (/** @type {string} */ id) => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((wanted) => document.activeElement?.id === wanted || document.activeElement?.textContent?.trim() === wanted, id)) return;
    }
    assert.fail(`no Tab leads to ${id}`);
  };
  await tabTo("tracking");
  await page.keyboard.type("1Z999AA10123456784");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "shipped" }).waitFor();
  await shot(page, "console-order-shipped");
  await tabTo("Mark as delivered");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "delivered" }).waitFor();
  assert.equal((await admin("GET", `/orders/${placed.id}`)).tracking_number, "1Z999AA10123456784");
  await page.locator("main h1").press("g");
  await page.keyboard.press("o");
  await page.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
});

test("an operator cancels an order", async (page) => {
  const one = await product();
  const placed = await order(one);
  await enter(page, `/console/orders/${placed.id}`);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await page.getByRole("heading", { level: 1, name: "cancelled" }).waitFor();
  await until(() => stockOf(one.id), ({ stock }) => stock === 20, "the stock is not for sale again");
});

test("an operator puts up a product, changes it and its stock", async (page) => {
  const name = `Kettle ${unique("gnu")}`;
  await enter(page, "/console/products/new");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Price").fill("12.345");
  await page.getByRole("button", { name: "Put up for sale" }).click();
  await page.locator(".mistake").waitFor();
  await page.getByLabel("Price").fill("12.34");
  await page.getByRole("button", { name: "Put up for sale" }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  await page.getByLabel("Price in USD").fill("13.5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The product is changed").first().waitFor();
  await page.getByLabel("For sale").fill("7");
  await page.getByRole("button", { name: "Set" }).click();
  await page.getByText("The stock is changed").first().waitFor();
  assert.equal((await admin("GET", `/products/${id}`)).price, 13.5);
  assert.equal((await stockOf(id)).stock, 7);
});

test("the console shows no page to who is no administrator", async (page) => {
  if (settings.admin === "") return;
  await page.goto("/console/orders");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.equal(await page.getByRole("navigation", { name: "Console" }).count(), 0);
});

for (const [view, options] of VIEWS) {
  test(`axe finds nothing serious in the console: ${view}`, async (page) => {
    const evil = await product({ name: `${HTML} ${unique("evil")}`, stock: 3 });
    const placed = await order(evil);
    await enter(page);
    for (const [name, path, heading] of [
      ["overview", "/console", "Overview"],
      ["orders", "/console/orders", "Orders"],
      ["order", `/console/orders/${placed.id}`, "Order"],
      ["products", "/console/products", "Products"],
      ["product", `/console/products/${evil.id}`, HTML],
      ["new-product", "/console/products/new", "New product"],
      ["users", "/console/users", "Users"],
      ["sales", "/console/sales", "Sales"],
      ["alerts", "/console/alerts", "Alerts"],
      ["mails", "/console/mails", "Mails"],
    ]) {
      await page.goto(String(path));
      await page.getByRole("heading", { name: String(heading), level: 1 }).waitFor();
      await page.waitForLoadState("networkidle");
      assert.equal(await page.locator("img[src=x]").count(), 0, `${name} made an element of a name`);
      await check(page, `console ${name}, ${view}`);
      await shot(page, `console-${name}-${view}`, false);
    }
  }, options);
}

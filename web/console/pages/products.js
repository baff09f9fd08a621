import { html, nothing, signal } from "../../vendor/lit.js";
import { show } from "../../shared/announce.js";
import { Refused, ask } from "../../shared/api.js";
import { form } from "../../shared/form.js";
import { money } from "../../shared/money.js";
import { empty, field, unreachable } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { rows } from "../rows.js";
import { facts, moment, productLink, sign } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas} Schemas */
/** @typedef {import("../../shared/catalogue.js").Shown} Shown */

/** @param {Shown} one */
const row = (one) => html`<tr><td class="text">${productLink(one.id, one.name)}</td><td class="mono">${one.id}</td><td class="text">${one.category ?? ""}</td>
  <td class="number">${money(Number(one.price), one.currency)}</td><td class="number">${one.stock ?? (one.in_stock ? "some" : 0)}</td><td>${one.stock === 0 || one.in_stock === false ? sign("sold_out") : nothing}</td></tr>`;
const HEADS = ["Product", "Id", "Category", "#Price", "#For sale", ""];

/** @type {import("../../shared/router.js").Setup} */
export const products = (_params, url) => {
  const q = url.searchParams.get("q") ?? "";
  const list = rows(() => (q ? `/search?q=${encodeURIComponent(q)}&sort=relevance&limit=50` : "/products?limit=50"));
  const ready = list.read();
  /** @param {number | undefined} total */
  const counted = (total) => (total === undefined ? "" : `: ${total} ${total === 1 ? "product" : "products"}`);
  return {
    title: () => "Products",
    ready,
    view: () => html`<div class="title-row"><h1>Products</h1><span class="actions"><a class="button quiet small" href="/console/imports">Import</a><a class="button small" href="/console/products/new">New product</a></span></div>
      ${q === "" ? nothing : html`<p>Found with “${q}”${counted(list.answer.value?.total)}. <a href="/console/products">All</a></p>`}
      ${list.view(HEADS, row, q === "" ? "Nothing is for sale yet." : "Nothing.")}`,
  };
};

/** @param {Record<string, string>} values */
function description({ name = "", description: text = "", category = "", image_url = "", price = "" }) {
  const orNull = (/** @type {string} */ value) => (value.trim() === "" ? null : value.trim());
  return { name: name.trim(), description: orNull(text), category: orNull(category), image_url: orNull(image_url), price: Number(price) };
}
const FIELDS = ["/name", "/price", "/category", "/image_url", "/description", "/id", "/stock", "/currency"];

/** @param {ReturnType<typeof form>} own @param {Partial<Schemas["Product"]>} one */
const fields = (own, one) => html`${field({ name: "name", label: "Name", value: one.name ?? "", max: 200, mistake: own.about("/name") })}
  ${field({ name: "price", label: `Price${one.currency ? ` in ${one.currency}` : ""}`, value: one.price === undefined ? "" : String(one.price), max: 20, mistake: own.about("/price") })}
  ${field({ name: "category", label: "Category", value: one.category ?? "", required: false, max: 100, mistake: own.about("/category") })}
  ${field({ name: "image_url", label: "Address of the picture", value: one.image_url ?? "", required: false, max: 2048, mistake: own.about("/image_url") })}
  <div class="field"><label for="description">Description</label><textarea id="description" name="description" rows="4" maxlength="5000" .defaultValue=${one.description ?? ""} aria-invalid=${own.about("/description") ? "true" : "false"}></textarea>
    ${own.about("/description") ? html`<p class="mistake">${own.about("/description")}</p>` : nothing}</div>`;

/** @type {import("../../shared/router.js").Setup} */
export const newProduct = () => {
  const key = crypto.randomUUID();
  const own = form(async (values) => {
    const { id = "", stock = "0", currency = "" } = values;
    const body = { ...description(values), ...(id.trim() && { id: id.trim() }), ...(currency.trim() && { currency: currency.trim() }), stock: Number(stock) };
    const { data } = await ask("POST", "/products", { body, key });
    show({ text: "The product is for sale" });
    await go(`/console/products/${encodeURIComponent(data.id)}`, { replace: true });
  });
  return {
    title: () => "New product",
    view: () => html`<nav class="crumbs" aria-label="Where you are"><a href="/console/products">Products</a> / <span>New</span></nav><h1>New product</h1>
      <form class="panel stack slim" @submit=${own.submit}>${fields(own, {})}
        ${field({ name: "currency", label: "Currency", value: "USD", max: 3, mistake: own.about("/currency") })}
        ${field({ name: "stock", label: "How many are for sale", type: "number", value: "0", mistake: own.about("/stock") })}
        ${field({ name: "id", label: "Id", required: false, max: 64, hint: "For good. One is made up if you give none.", mistake: own.about("/id") })}
        ${own.trouble(FIELDS)}${own.button("Put up for sale", "Putting up")}</form>`,
  };
};

/** @param {unknown} error */
const isStale = (error) => error instanceof Refused && error.code === "stale_version";

/** @type {import("../../shared/router.js").Setup} */
export const product = ({ id = "" }) => {
  const path = `/products/${encodeURIComponent(id)}`;
  const shown = signal(/** @type {Schemas["Product"] | null | undefined} */ (undefined));
  const stock = signal(/** @type {Schemas["Stock"] | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  /** @type {string | undefined} */
  let version;
  /** @type {string | undefined} */
  let stockVersion;

  async function readStock() {
    const { data, etag } = await ask("GET", `${path}/stock`);
    stock.value = data;
    stockVersion = etag;
  }

  async function load() {
    failure.value = undefined;
    try {
      // With the token: caches answer everybody, and this is for who changes it.
      const [one] = await Promise.all([ask("GET", path), readStock()]);
      shown.value = one.data;
      version = one.etag;
    } catch (error) {
      if (error instanceof Refused && error.status < 429) shown.value = null;
      else failure.value = error;
    }
  }
  const ready = load();

  const own = form(async (values) => {
    // What somebody else has written meanwhile is not to be written over unseen.
    const changed = await ask("PATCH", path, { body: description(values), match: version });
    shown.value = changed.data;
    version = changed.etag;
    show({ text: "The product is changed" });
  }, (error) => (isStale(error) ? "Somebody has changed this product meanwhile. Reload the page, and look at it again." : undefined));
  const level = form(async ({ stock: count = "", threshold = "" }, element) => {
    const before = stock.peek();
    const body = {
      ...(Number(count) !== before?.stock && { stock: Number(count) }),
      ...(threshold !== "" && Number(threshold) !== before?.low_stock_threshold && { low_stock_threshold: Number(threshold) }),
    };
    if (Object.keys(body).length === 0) return;
    // What was sold meanwhile is not to be put up for sale again.
    const changed = await ask("PATCH", `${path}/stock`, { body, key: crypto.randomUUID(), match: stockVersion }).catch(async (error) => {
      if (isStale(error)) await readStock();
      throw error;
    });
    stock.value = changed.data;
    stockVersion = changed.etag;
    element.reset();
    show({ text: "The stock is changed" });
  }, (error) => (isStale(error) ? `The stock has changed meanwhile: ${stock.value?.stock} are for sale now. Look at it again.` : undefined));
  const deletion = form(async () => {
    if (!confirm("Take this product out of the catalogue for good?")) return;
    await ask("DELETE", path);
    show({ text: "The product is not for sale any more" });
    await go("/console/products", { replace: true });
  });

  return {
    title: () => shown.value?.name ?? "Product",
    ready,
    view: () => {
      const one = shown.value;
      if (failure.value !== undefined) return unreachable(load, 1, "The shop does not answer.");
      if (one === null) return empty({ heading: "There is no such product", text: html`Nothing has the id <span class="mono">${id}</span>.`, sign: "package-x", action: html`<a class="button" href="/console/products">All products</a>` });
      if (one === undefined) return html`<h1 class="unseen">Loading the product</h1><div class="skeleton"><span class="bone tall"></span><span class="bone tall"></span></div>`;
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/products">Products</a> / <span class="mono">${one.id}</span></nav>
        <div class="title-row"><h1>${one.name}</h1><span class="actions"><a href="/console/stories/${encodeURIComponent(one.id)}">Its story</a><a href="/p/${encodeURIComponent(one.id)}">As customers see it</a></span></div>
        <div class="halves">
          <section class="panel" aria-labelledby="what"><h2 id="what">Description</h2><form class="stack" @submit=${own.submit}>${fields(own, one)}${own.trouble(FIELDS)}${own.button("Save", "Saving")}</form></section>
          <div><section class="panel" aria-labelledby="stock-heading"><h2 id="stock-heading">Stock</h2>
              ${facts([["Set aside for orders", stock.value?.reserved], ["Changed", stock.value ? moment(stock.value.updated_at) : undefined]])}
              <form class="stack" @submit=${level.submit}>
                ${field({ name: "stock", label: "For sale", type: "number", value: String(stock.value?.stock ?? ""), mistake: level.about("/stock") })}
                ${field({ name: "threshold", label: "Few are fewer than", type: "number", value: String(stock.value?.low_stock_threshold ?? ""), required: false, mistake: level.about("/low_stock_threshold") })}
                ${level.trouble(["/stock", "/low_stock_threshold"])}${level.button("Set", "Setting")}</form></section>
            <section class="panel" aria-labelledby="moves"><h2 id="moves">Moves</h2><form class="move quiet-form" @submit=${deletion.submit}>${deletion.button("Take out of the catalogue", "Taking out")}</form>${deletion.trouble()}</section></div>
        </div>`;
    },
  };
};

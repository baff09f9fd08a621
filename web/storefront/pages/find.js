import { html, signal } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { PAGE, categories, find as search } from "../../shared/catalogue.js";
import { address, go } from "../../shared/router.js";
import { listing } from "../listing.js";
import { empty } from "../../shared/parts.js";

const SORTS = { newest: "Newest", price: "Price, low to high", "-price": "Price, high to low" };
/**
 * What is searched for has a best match, and what is not filtered an order of names.
 *
 * @param {{ q: string, min: string, max: string, inStock: boolean }} query
 */
const sorts = ({ q, min, max, inStock }) =>
  q ? { relevance: "Best match", ...SORTS } : min || max || inStock ? SORTS : { ...SORTS, name: "Name" };

const names = signal(/** @type {string[]} */ ([]));

/** @param {URL} url */
const wanted = (url) => {
  const of = (/** @type {string} */ name) => url.searchParams.get(name) ?? "";
  const query = { q: of("q").trim(), min: of("min"), max: of("max"), inStock: of("in_stock") === "true" };
  return { ...query, category: of("category"), sort: of("sort") in sorts(query) ? of("sort") : "" };
};

let asked = wanted(new URL(location.href));
/** @type {string | undefined} */
let shownFor;

const found = listing((cursor, signal) =>
  search({ ...asked, sort: asked.sort || (asked.q ? "relevance" : "newest"), cursor }, signal),
);

/** @param {Record<string, string>} changes */
function refine(changes) {
  const url = new URL(address.peek());
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  void go(url.pathname + url.search, { replace: true, stay: true });
}

/** @param {Event} event */
const onChange = (event) => {
  const { name, value, type, checked } = /** @type {HTMLInputElement} */ (event.target);
  refine({ [name]: type === "checkbox" ? (checked ? "true" : "") : value });
};
/** @param {Event} event */
const onSubmit = (event) => event.preventDefault();

/** @param {ReturnType<typeof wanted>} query */
const filters = (query) => html`<form class="filters" aria-label="Filters" @submit=${onSubmit} @change=${onChange}>
  <div class="field"><label for="category">Category</label>
    <select id="category" name="category">
      <option value="" .selected=${query.category === ""}>All</option>
      ${[...new Set([...names.value, ...(query.category ? [query.category] : [])])].map((name) => html`<option value=${name} .selected=${name === query.category}>${name}</option>`)}
    </select></div>
  <div class="field"><label for="sort">Sort by</label>
    <select id="sort" name="sort">${Object.entries(sorts(query)).map(([value, label]) => html`<option value=${value} .selected=${value === (query.sort || (query.q ? "relevance" : "newest"))}>${label}</option>`)}</select></div>
  <fieldset class="field range"><legend>Price</legend>
    <label class="unseen" for="min">From</label><input id="min" name="min" type="number" min="0" step="any" inputmode="decimal" placeholder="from" .value=${query.min} />
    <span aria-hidden="true">–</span>
    <label class="unseen" for="max">To</label><input id="max" name="max" type="number" min="0" step="any" inputmode="decimal" placeholder="to" .value=${query.max} /></fieldset>
  <label class="check"><input type="checkbox" name="in_stock" .checked=${query.inStock} /> In stock only</label>
</form>`;

/** @param {ReturnType<typeof wanted>} query */
function heading(query) {
  if (query.q !== "") return html`Results for “${query.q}”`;
  return query.category === "" ? "Everything" : html`<span class="capital">${query.category}</span>`;
}

function counted() {
  const shown = found.products.value?.length;
  if (shown === undefined || found.failure.value !== undefined) return "";
  const many = found.total.value ?? shown;
  const more = found.total.value === undefined && found.cursor.value !== undefined ? "more than " : "";
  return `${more}${many} ${many === 1 ? "product" : "products"}`;
}

/** @type {import("../../shared/router.js").Setup} */
export const find = (_params, url) => {
  const query = wanted(url);
  const isSame = url.search === shownFor;
  // What was found for something else is shown, dimmed, while one types, and not to who comes from another page.
  if (!isSame && address.peek().pathname !== "/find") found.products.value = undefined;
  if (!isSame) shownFor = undefined;
  asked = query;
  const many = found.products.peek()?.length ?? 0;
  const ready =
    isSame && many > PAGE
      ? Promise.resolve()
      : found.read(false).then(() => {
          if (asked !== query) return;
          if (found.failure.peek() === undefined) shownFor = url.search;
          // What was found for something else is not what this finds.
          else if (!isSame) found.products.value = undefined;
          say(counted());
        });
  void categories()
    .then((all) => (names.value = all.map(({ name }) => name)))
    .catch(() => undefined);
  return {
    title: () => query.q || query.category || "Everything",
    ready: isSame ? Promise.resolve() : ready,
    view: () => html`<div class="inner">
        <nav class="crumbs" aria-label="Where you are"><a href="/">Shop</a> <span aria-hidden="true">/</span> <span>${query.q ? "Search" : query.category || "Everything"}</span></nav>
        <div class="title-row"><h1>${heading(query)}</h1><p class="quiet-text">${counted()}</p></div>
        ${filters(query)}
        <h2 class="unseen">Products</h2>
        <div class=${found.busy.value && found.products.value !== undefined ? "dimmed" : ""}>${found.view(
          empty({
            heading: "Nothing found",
            text: query.q ? html`Nothing in the shop is like “${query.q}”. Try another word, or fewer filters.` : "Try fewer filters.",
            sign: "search",
            level: 2,
            action: html`<a class="button" href="/find">See everything</a>`,
          }),
        )}</div>
      </div>`,
  };
};

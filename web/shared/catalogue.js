// Products: lists, search, suggestions, one of them. The only file that knows whether the shop has a search: where it
// answers that there is no such path, lists are read and sifted here, which is good for some hundred products.

import { Refused, ask } from "./api.js";

/** @typedef {import("./api.js").Schemas["Product"]} Product */
/**
 * @typedef {object} Query
 * @property {string} [q]
 * @property {string} [category]
 * @property {string} [min]
 * @property {string} [max]
 * @property {boolean} [inStock]
 * @property {string} [sort] `relevance` (of a search), `newest`, `name` (of a list), `price` or `-price`
 * @property {string | undefined} [cursor]
 */
/**
 * A product as lists show it: what a search has found says whether it is in stock, and not how many there are.
 *
 * @typedef {Pick<Product, "id" | "name" | "price" | "currency" | "category" | "image_url"> & { stock?: number, in_stock?: boolean }} Shown
 */
/** @typedef {{ products: Shown[], cursor: string | undefined, total?: number | undefined }} Found */

/** As many products as a page of a list has. */
export const PAGE = 24;
/** As many products as are read where the shop has no search. */
const ALL_AT_MOST = 480;

/** @type {Map<string, Product>} */
const known = new Map();
let hasSearch = true;
/** @type {Promise<Product[]> | undefined} */
let everything;
let readAt = 0;

/** @param {Product[]} products */
function remember(products) {
  for (const product of products) known.set(product.id, product);
  return products;
}

/** @param {Record<string, string | number | boolean | undefined>} values */
function query(values) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "" && value !== false) given.set(name, String(value));
  }
  const text = given.toString();
  return text === "" ? "" : `?${text}`;
}

/**
 * @param {{ category?: string | undefined, sort?: string | undefined, cursor?: string | undefined, limit?: number }} [options]
 * @returns {Promise<{ products: Product[], cursor: string | undefined }>}
 */
export async function list({ category, sort, cursor, limit = PAGE } = {}) {
  const { data } = await ask("GET", `/products${query({ category, sort, cursor, limit })}`, { open: true });
  return { products: remember(data.data), cursor: data.next_cursor ?? undefined };
}

/** All products, where there are not too many: read once in a while. */
function all() {
  if (everything === undefined || Date.now() - readAt > 30_000) {
    readAt = Date.now();
    everything = readAll();
    everything.catch(() => {
      everything = undefined;
    });
  }
  return everything;
}

async function readAll() {
  /** @type {Product[]} */
  const products = [];
  /** @type {string | undefined} */
  let cursor;
  do {
    const found = await list({ cursor, limit: 48 });
    products.push(...found.products);
    cursor = found.cursor;
  } while (cursor !== undefined && products.length < ALL_AT_MOST);
  return products;
}

/**
 * Asks a route that the shop may not have.
 *
 * @template T
 * @param {() => Promise<T>} search
 * @param {() => Promise<T>} instead
 */
async function searchOr(search, instead) {
  if (!hasSearch) return instead();
  try {
    return await search();
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404) throw error;
    hasSearch = false;
    return instead();
  }
}

/** @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** @param {Product} product @param {string[]} words */
const hasWords = (product, words) => {
  const text = plain(`${product.name} ${product.category ?? ""} ${product.description ?? ""}`);
  return words.every((word) => text.includes(word));
};

/** @type {Record<string, (a: Product, b: Product) => number>} */
const ORDERS = {
  name: (a, b) => a.name.localeCompare(b.name),
  price: (a, b) => Number(a.price) - Number(b.price),
  "-price": (a, b) => Number(b.price) - Number(a.price),
};

/** @param {string | undefined} q */
const wordsOf = (q = "") => plain(q).split(/\s+/).filter(Boolean);

/** Reads all and keeps what fits. @param {Query} wanted @returns {Promise<Found>} */
async function sift({ q, category, min, max, inStock, sort }) {
  const words = wordsOf(q);
  const found = (await all()).filter(
    (product) =>
      hasWords(product, words) &&
      (!category || product.category === category) &&
      (!min || Number(product.price) >= Number(min)) &&
      (!max || Number(product.price) <= Number(max)) &&
      (!inStock || product.stock > 0),
  );
  const inName = (/** @type {Product} */ one) => words.filter((word) => plain(one.name).includes(word)).length;
  const order = ORDERS[sort ?? ""] ?? (sort === "newest" ? undefined : (a, b) => inName(b) - inName(a));
  return { products: order ? found.toSorted(order) : found, cursor: undefined, total: found.length };
}

/**
 * @param {Query} wanted
 * @param {AbortSignal} [signal]
 * @returns {Promise<Found>}
 */
export function find(wanted, signal) {
  const { q, category, min, max, inStock, sort, cursor } = wanted;
  // The catalogue's own lists know categories and orders, and are kept by caches; a search looks for words.
  if (!q) return min || max || inStock ? sift(wanted) : list({ category, sort, cursor });
  return searchOr(
    /** @returns {Promise<Found>} */
    async () => {
      const asked = query({ q, category, min_price: min, max_price: max, in_stock: inStock, sort, limit: PAGE, cursor });
      const { data } = await ask("GET", `/search${asked}`, { open: true, signal });
      return { products: data.data, cursor: data.next_cursor ?? undefined, total: data.total };
    },
    () => sift(wanted),
  );
}

/**
 * What somebody who types this may mean.
 *
 * @param {string} q
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ id: string, name: string }[]>}
 */
export function suggest(q, signal) {
  return searchOr(
    async () => {
      const { data } = await ask("GET", `/search/suggestions${query({ q })}`, { open: true, signal });
      return data.data.map((/** @type {{ product_id: string, text: string }} */ one) => ({ id: one.product_id, name: one.text }));
    },
    async () => (await sift({ q })).products.slice(0, 6),
  );
}

/**
 * The categories of the products that a list begins with, each with a picture of one: the shop has no list of them.
 *
 * @returns {Promise<{ name: string, image_url: string | null | undefined }[]>}
 */
export async function categories() {
  /** @type {Map<string, string | null | undefined>} */
  const found = new Map();
  for (const { category, image_url } of await all()) if (category) found.set(category, found.get(category) ?? image_url);
  return [...found].map(([name, image_url]) => ({ name, image_url })).sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * What is known of a product without asking: old, but good to begin with.
 *
 * @param {string} id
 */
export const remembered = (id) => known.get(id);

/**
 * A product as it is now; `undefined` where there is none of that id.
 *
 * @param {string} id
 * @returns {Promise<Product | undefined>}
 */
export async function product(id) {
  try {
    const { data } = await ask("GET", `/products/${encodeURIComponent(id)}`, { open: true });
    known.set(id, data);
    return data;
  } catch (error) {
    if (!(error instanceof Refused) || (error.status !== 404 && error.status !== 422)) throw error;
    known.delete(id);
    return undefined;
  }
}

// Pages without reloads: a link to one of our pages shows it here, and everything else is the browser's.

import { batch, signal } from "../vendor/lit.js";

/**
 * @typedef {object} Page
 * @property {() => string} title
 * @property {() => unknown} view
 * @property {() => void} [leave] called when another page is shown
 * @property {Promise<unknown>} [ready] settled when the page has its height, for who comes back to where they were
 */
/** @typedef {Record<string, string>} Params */
/** @typedef {(params: Params, url: URL) => Page | Promise<Page>} Setup */

/** @type {import("../vendor/lit.js").Signal<Page | undefined>} */
export const page = signal(/** @type {Page | undefined} */ (undefined));
/** The address, as the page shows it. */
export const address = signal(new URL(location.href));

/** @type {{ parts: string[], setup: Setup }[]} */
let table = [];
/** @type {Setup} */
let missing = () => ({ title: () => "", view: () => undefined });
let visit = 0;

/** @param {string} path */
function find(path) {
  const given = path.replace(/(?<=.)\/$/, "").split("/");
  for (const { parts, setup } of table) {
    if (parts.length !== given.length) continue;
    /** @type {Params} */
    const params = {};
    const fits = parts.every((part, at) => {
      const text = given[at] ?? "";
      if (!part.startsWith(":")) return part === text;
      try {
        params[part.slice(1)] = decodeURIComponent(text);
      } catch {
        return false;
      }
      return text !== "";
    });
    if (fits) return { setup, params };
  }
  return undefined;
}

/** @param {URL} url */
async function open(url) {
  const mine = ++visit;
  const found = find(url.pathname);
  const next = await (found?.setup ?? missing)(found?.params ?? {}, url);
  if (mine !== visit) {
    next.leave?.();
    return undefined;
  }
  page.peek()?.leave?.();
  batch(() => {
    address.value = url;
    page.value = next;
  });
  return next;
}

/** Reading goes on at the heading of the new page, where a reload would have begun. */
function focusHeading() {
  const heading = document.querySelector("main h1") ?? document.querySelector("main");
  if (heading instanceof HTMLElement) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
}

/**
 * @param {string} to
 * @param {{ replace?: boolean, stay?: boolean }} [how] `stay` leaves focus and scroll where they are
 */
export async function go(to, { replace = false, stay = false } = {}) {
  const url = new URL(to, location.href);
  if (replace) history.replaceState({}, "", url);
  else {
    history.replaceState({ ...history.state, y: scrollY }, "");
    history.pushState({}, "", url);
  }
  const shown = await open(url);
  if (shown === undefined || stay) return;
  scrollTo(0, 0);
  focusHeading();
}

/**
 * @param {Record<string, Setup>} routes patterns such as `/p/:id`
 * @param {Setup} notFound
 */
export async function start(routes, notFound) {
  table = Object.entries(routes).map(([path, setup]) => ({ parts: path.split("/"), setup }));
  missing = notFound;
  history.scrollRestoration = "manual";
  addEventListener("popstate", async (event) => {
    const shown = await open(new URL(location.href));
    if (shown === undefined) return;
    await shown.ready?.catch(() => undefined);
    requestAnimationFrame(() => scrollTo(0, event.state?.y ?? 0));
    focusHeading();
  });
  // A reload begins where the reader was.
  addEventListener("pagehide", () => history.replaceState({ ...history.state, y: scrollY }, ""));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash !== "" && link.pathname === location.pathname) return;
    if (find(link.pathname) === undefined) return;
    event.preventDefault();
    void go(link.href, { replace: link.href === location.href });
  });
  const shown = await open(new URL(location.href));
  const { y } = history.state ?? {};
  if (shown !== undefined && y > 0) {
    await shown.ready?.catch(() => undefined);
    requestAnimationFrame(() => scrollTo(0, y));
  }
}

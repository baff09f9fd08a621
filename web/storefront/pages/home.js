import { html, nothing, signal } from "../../vendor/lit.js";
import { PAGE, categories, list } from "../../shared/catalogue.js";
import { listing } from "../listing.js";
import { picture } from "../parts.js";
import { empty } from "../../shared/parts.js";

const newest = listing((cursor) => list({ cursor }));
const names = signal(/** @type {Awaited<ReturnType<typeof categories>> | undefined} */ (undefined));

/** Pictures of ours that the page begins with, whatever the catalogue has. */
const SHOWN = ["prod-1", "reading-lamp", "city-backpack"];

const none = empty({
  heading: "Nothing is for sale yet",
  text: "Come back soon: the shelves are being filled.",
  sign: "shopping-bag",
  level: 2,
});

/** @param {{ name: string, image_url: string | null | undefined }} category */
const tile = ({ name, image_url }) => html`<li><a class="tile" href="/find?category=${encodeURIComponent(name)}">
  ${picture({ name, category: name, image_url }, { eager: true })}<span>${name}</span></a></li>`;

function tiles() {
  const known = names.value;
  if (known === undefined) return html`<ul class="tiles" aria-hidden="true">${Array.from({ length: 8 }, () => html`<li class="tile skeleton"><span class="picture"></span><span class="bone"></span></li>`)}</ul>`;
  if (known.length === 0) return nothing;
  return html`<ul class="tiles">${known.slice(0, 12).map(tile)}</ul>`;
}

/** @type {import("../../shared/router.js").Setup} */
export const home = () => {
  // What was shown before stays until what is new is there.
  const many = newest.products.peek()?.length;
  const ready = many === undefined || many <= PAGE ? newest.read(false) : Promise.resolve();
  void ready
    .then(categories)
    .then((found) => (names.value = found))
    .catch(() => (names.value ??= []));
  return {
    title: () => "",
    ready: many === undefined ? ready : Promise.resolve(),
    view: () => html`<div class="inner">
      <section class="hero">
        <div>
          <h1>Made well.<br />Used daily.</h1>
          <p>Things for the kitchen, the desk and the trail that are worth keeping.</p>
          <a class="button" href="/find">See everything</a>
        </div>
        <div class="hero-pictures" aria-hidden="true">${SHOWN.map((name) => html`<img src="/pictures/${name}.svg" alt="" width="400" height="400" />`)}</div>
      </section>
      <section aria-labelledby="by-category">
        <h2 id="by-category">Categories</h2>
        ${tiles()}
      </section>
      <section aria-labelledby="new-in">
        <h2 id="new-in">New in</h2>
        ${newest.view(none)}
      </section>
    </div>`,
  };
};

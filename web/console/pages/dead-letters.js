// Dead letters: what consumers gave up on, in groups; and the jobs that send a group again or give it up.

import { html, nothing, signal } from "../../vendor/lit.js";
import { say, show } from "../../shared/announce.js";
import { Refused, ask, explain } from "../../shared/api.js";
import { form } from "../../shared/form.js";
import { empty, field, notice, unreachable } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { local } from "../../shared/storage.js";
import { watch } from "../../shared/watch.js";
import { rows } from "../rows.js";
import { facts, moment, sign } from "../words.js";

/** @typedef {{ consumer: string, failure_code: string, letters: number, first_parked_at: string, last_parked_at: string, came_back: number }} Group */
/** @typedef {{ id: string, disposal: string, consumer: string, failure_code?: string | null, cutoff: string, rate: number, reason: string, status: "running" | "paused" | "done" | "failed", letters: { matched: number, moved: number }, created_at: string, finished_at?: string | null }} Job */
/** @typedef {{ id: string, consumer: string, failure_code: string, came_back: number, parked_at: string }} Parked */
/** @typedef {Parked & { status: string, bytes: number, attempts?: number | null, error?: string | null, first_parked_at: string, moved_by?: string | null, body?: unknown, event?: { id: string, type: string, subject: string, correlation_id: string } | null }} Letter */

/** Jobs that were started in this browser: the API shows a job to who knows its id. */
const JOBS = "console.jobs";
const EVERY = [2000, 4000, 8000];

/** @returns {string[]} */
const jobs = () => {
  const kept = local.read(JOBS);
  return Array.isArray(kept) ? kept.filter((id) => typeof id === "string").slice(0, 10) : [];
};

/** @param {{ consumer: string, failure_code: string }} group */
const listPath = ({ consumer, failure_code }) => `/console/dead-letters?consumer=${encodeURIComponent(consumer)}&code=${encodeURIComponent(failure_code)}`;

/** @type {import("../../shared/router.js").Setup} */
export const deadLetters = (_params, url) => {
  const consumer = url.searchParams.get("consumer") ?? "";
  return consumer === "" ? groups() : letters(consumer, url.searchParams.get("code") ?? "");
};

/** @returns {import("../../shared/router.js").Page} */
function groups() {
  const all = signal(/** @type {{ data: Group[], letters: number, complete: boolean } | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const running = signal(/** @type {Job[]} */ ([]));
  /** What is being decided, and of which group. */
  const asked = signal(/** @type {{ group: Group, what: "redrives" | "discards" } | undefined} */ (undefined));
  let key = "";

  async function poll() {
    try {
      all.value = (await ask("GET", "/monitor/dead-letters")).data;
      failure.value = undefined;
    } catch (error) {
      failure.value = error;
      return true;
    }
    // One that is forgotten, or is not there, is left out.
    const found = await Promise.all(jobs().map((id) => ask("GET", `/monitor/redrives/${encodeURIComponent(id)}`).catch(() => undefined)));
    running.value = found.flatMap((answer) => answer?.data ?? []);
    return true;
  }
  const ready = poll();
  const watching = watch(poll, EVERY);

  const own = form(async ({ reason = "", rate = "" }) => {
    const now = asked.peek();
    if (now === undefined) return;
    const body = { consumer: now.group.consumer, failure_code: now.group.failure_code, reason: reason.trim(), ...(rate !== "" && { rate: Number(rate) }) };
    const { data } = await ask("POST", `/monitor/${now.what}`, { body, key });
    local.write(JOBS, [data.id, ...jobs()]);
    asked.value = undefined;
    await go(`/console/redrives/${encodeURIComponent(data.id)}`);
  });

  /** @param {Group} group @param {"redrives" | "discards"} what */
  function decide(group, what) {
    // One decision is one job, however often it is sent.
    key = crypto.randomUUID();
    asked.value = { group, what };
    requestAnimationFrame(() => document.getElementById("reason")?.focus());
  }

  /** @param {Group} group */
  const row = (group) => html`<tr><td><strong>${group.consumer}</strong></td><td class="text"><a href=${listPath(group)}>${group.failure_code}</a></td><td class="number">${group.letters}</td>
    <td>${moment(group.first_parked_at)}</td><td>${moment(group.last_parked_at)}</td><td class="number">${group.came_back}</td>
    <td><span class="actions"><button class="button small" @click=${() => decide(group, "redrives")}>Redrive<span class="unseen"> ${group.consumer}, ${group.failure_code}</span></button><button class="button quiet small" @click=${() => decide(group, "discards")}>Discard<span class="unseen"> ${group.consumer}, ${group.failure_code}</span></button></span></td></tr>`;

  /** @param {{ group: Group, what: "redrives" | "discards" }} now */
  const decision = ({ group, what }) => html`<form class="panel stack slim" aria-label=${what === "redrives" ? "Redrive" : "Discard"} @submit=${own.submit}>
    <p>${what === "redrives" ? html`Send ${group.letters} ${group.letters === 1 ? "letter" : "letters"} to <strong>${group.consumer}</strong> again (${group.failure_code}). One that fails comes back here.` : html`Give up ${group.letters} ${group.letters === 1 ? "letter" : "letters"} of <strong>${group.consumer}</strong> (${group.failure_code}). Nobody will handle them.`}</p>
    ${field({ name: "reason", label: "Why", max: 200, mistake: own.about("/reason") })}
    ${what === "redrives" ? field({ name: "rate", label: "Letters a second, at most", type: "number", required: false, mistake: own.about("/rate") }) : nothing}
    ${own.trouble(["/reason", "/rate"])}
    <p class="actions">${own.button(what === "redrives" ? "Redrive" : "Discard for good", "Asking")}<button type="button" class="button quiet" @click=${() => (asked.value = undefined)}>Leave it</button></p></form>`;

  return {
    title: () => "Dead letters",
    ready,
    leave: () => watching.stop(),
    view: () => html`<h1>Dead letters</h1>
      ${failure.value === undefined ? nothing : notice("bad", `${explain(failure.value)} We go on trying.`)}
      ${asked.value === undefined ? nothing : decision(asked.value)}
      ${all.value === undefined ? nothing : all.value.data.length === 0 ? empty({ heading: "No dead letters", text: "Every consumer has handled what it was sent.", sign: "circle-check", level: 2 }) : html`${all.value.complete ? nothing : notice("info", "There are more than can be counted: the rest comes when these are gone.")}
        <div class="scroll" tabindex="0" role="region" aria-label="Groups"><table class="table"><thead><tr><th scope="col">Consumer</th><th scope="col">Failed with</th><th scope="col" class="number">Letters</th><th scope="col">First</th><th scope="col">Last</th><th scope="col" class="number">Came back</th><th scope="col"><span class="unseen">Moves</span></th></tr></thead><tbody>${all.value.data.map(row)}</tbody></table></div>`}
      ${running.value.length === 0 ? nothing : html`<section aria-labelledby="jobs"><h2 id="jobs">Jobs of this browser</h2><ul class="open-list">${running.value.map((job) => html`<li><a class="mono" href="/console/redrives/${encodeURIComponent(job.id)}">${job.id}</a> ${job.consumer} ${progress(job)}</li>`)}</ul></section>`}`,
  };
}

/** @param {string | undefined} status */
const hasEnded = (status) => status === "done" || status === "failed";

/** @param {Job} job */
const progress = ({ status, letters: { matched, moved } }) =>
  html`${sign(status)} <progress max=${Math.max(matched, 1)} .value=${Math.min(moved, matched)} aria-label="Moved"></progress> <span class="quiet-text">${moved} of ${matched}</span>`;

/** @param {string} consumer @param {string} code @returns {import("../../shared/router.js").Page} */
function letters(consumer, code) {
  const list = rows(() => `/monitor/queues/${encodeURIComponent(consumer)}/dead-letters?limit=100`);
  const ready = list.read();
  return {
    title: () => `Dead letters of ${consumer}`,
    ready,
    view: () => html`<nav class="crumbs" aria-label="Where you are"><a href="/console/dead-letters">Dead letters</a> / <span>${consumer}</span></nav>
      <div class="title-row"><h1>${consumer}</h1>${code ? html`<p>Failed with <strong>${code}</strong>. <a href="/console/dead-letters?consumer=${encodeURIComponent(consumer)}">All</a></p>` : nothing}</div>
      ${list.view(
        ["Parked", "Letter", "Failed with", "#Came back"],
        (/** @type {Parked} */ one) => (code && one.failure_code !== code ? nothing : html`<tr><td>${moment(one.parked_at)}</td><td><a class="mono" href="/console/dead-letters/${encodeURIComponent(one.id)}">${one.id}</a></td><td class="text">${one.failure_code}</td><td class="number">${one.came_back}</td></tr>`),
        "None is parked.",
      )}`,
  };
}

/** @type {import("../../shared/router.js").Setup} */
export const deadLetter = ({ id = "" }) => {
  const shown = signal(/** @type {Letter | null | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  async function load() {
    failure.value = undefined;
    try {
      shown.value = (await ask("GET", `/monitor/dead-letters/${encodeURIComponent(id)}`)).data;
    } catch (error) {
      if (error instanceof Refused && error.status < 429) shown.value = null;
      else failure.value = error;
    }
  }
  const ready = load();
  return {
    title: () => "Dead letter",
    ready,
    view: () => {
      const one = shown.value;
      if (failure.value !== undefined) return unreachable(load, 1, explain(failure.value));
      if (one === null) return empty({ heading: "There is no such letter", text: "Letters are forgotten after a time.", sign: "package-x", action: html`<a class="button" href="/console/dead-letters">All of them</a>` });
      if (one === undefined) return html`<h1>Dead letter</h1><div class="skeleton"><span class="bone tall"></span></div>`;
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/dead-letters">Dead letters</a> / <a href=${listPath(one)}>${one.consumer}</a> / <span class="mono">${one.id}</span></nav>
        <div class="title-row"><h1>Dead letter ${sign(one.status)}</h1></div>
        <div class="halves"><div><section class="panel" aria-labelledby="says"><h2 id="says">What it says</h2>${one.body === undefined || one.body === null ? html`<p class="none">It is no event of the shop, and is not shown.</p>` : html`<pre tabindex="0" aria-label="What it says">${JSON.stringify(one.body, null, 2)}</pre>`}</section></div>
          <div><section class="panel" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts([
            ["Consumer", one.consumer],
            ["Failed with", html`${one.failure_code}${one.error ? html`<p class="mistake">${one.error}</p>` : nothing}`],
            ["Attempts", one.attempts ?? undefined],
            ["Came back", one.came_back],
            ["First parked", moment(one.first_parked_at)],
            ["Last parked", moment(one.parked_at)],
            ["Event", one.event?.type],
            ["Subject", one.event ? html`<span class="mono">${one.event.subject}</span>` : undefined],
            ["Request", one.event ? html`<a class="mono" href="/console/events?correlation=${encodeURIComponent(one.event.correlation_id)}">${one.event.correlation_id}</a>` : undefined],
            ["Moved by", one.moved_by ? html`<a class="mono" href="/console/redrives/${encodeURIComponent(one.moved_by)}">${one.moved_by}</a>` : undefined],
            ["Size", `${one.bytes} bytes`],
          ])}</section></div></div>`;
    },
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const redrive = ({ id = "" }) => {
  const path = `/monitor/redrives/${encodeURIComponent(id)}`;
  const shown = signal(/** @type {Job | null | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));

  async function poll() {
    try {
      const { data } = await ask("GET", path);
      if (shown.peek() && shown.peek()?.status !== data.status) say(`The job is ${data.status}`);
      shown.value = data;
      failure.value = undefined;
    } catch (error) {
      if (error instanceof Refused && error.status < 429) {
        shown.value = null;
        return false;
      }
      failure.value = error;
    }
    return !hasEnded(shown.peek()?.status);
  }
  const ready = poll();
  const watching = watch(poll);
  const own = form(async () => {
    const status = shown.peek()?.status === "paused" ? "running" : "paused";
    shown.value = (await ask("PATCH", path, { body: { status } })).data;
    watching.soon();
    show({ text: status === "paused" ? "The job is paused" : "The job goes on" });
  });

  return {
    title: () => (shown.value ? `Job, ${shown.value.status}` : "Job"),
    ready,
    leave: () => watching.stop(),
    view: () => {
      const one = shown.value;
      if (one === null) return empty({ heading: "There is no such job", text: "The id may be mistyped.", sign: "package-x", action: html`<a class="button" href="/console/dead-letters">Dead letters</a>` });
      if (one === undefined) return failure.value === undefined ? html`<h1>Job</h1><div class="skeleton"><span class="bone tall"></span></div>` : unreachable(() => void poll(), 1, explain(failure.value));
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/dead-letters">Dead letters</a> / <span class="mono">${one.id}</span></nav>
        <div class="title-row"><h1>${one.disposal === "discard" ? "Discard" : "Redrive"} of ${one.consumer}</h1></div>
        ${failure.value === undefined ? nothing : notice("info", `${explain(failure.value)} We go on trying.`)}
        <section class="panel" aria-labelledby="how-far"><h2 id="how-far">How far it is</h2><p>${progress(one)}</p>
          ${hasEnded(one.status) ? nothing : html`<form class="move quiet-form" @submit=${own.submit}>${own.button(one.status === "paused" ? "Go on" : "Pause", "Asking")}</form>${own.trouble()}`}</section>
        <section class="panel" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts([
          ["Why", one.reason],
          ["Failed with", one.failure_code ?? "anything"],
          ["Letters until", moment(one.cutoff)],
          ["At most", `${one.rate} a second`],
          ["Begun", moment(one.created_at)],
          ["Finished", one.finished_at ? moment(one.finished_at) : undefined],
        ])}</section>`;
    },
  };
};

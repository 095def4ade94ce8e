/** The site of docs/: what its pages are made of, and what is found in a built one. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkSite } from "../../../docs/site/links.ts";
import { anchorOf, changeText, listing, Pages } from "../../../docs/site/pages.ts";

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-test-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test.each([
  ["Six flags", "six-flags"],
  ["workerClass (worker_class)", "workerclass-worker_class"],
  ["`ctl top`, and what it shows", "ctl-top-and-what-it-shows"],
  ["100-continue on 1.0", "100-continue-on-10"],
])("anchorOf(%j) is GitHub's", (heading, anchor) => expect(anchorOf(heading)).toBe(anchor));

test.each([
  ["text", "a\n", "A\n"],
  ["not what is fenced", "a\n```sh\nb\n```\nc\n", "A\n```sh\nb\n```\nC\n"],
  ["not what is fenced by more", "````\na\n```\nb\n````\nc\n", "````\na\n```\nb\n````\nC\n"],
  ["comments are gone", "a\n\n<!-- x\ny -->\n\nb\n", "A\n\nB\n"],
  ["but those in code", "```\n<!-- a -->\n```\n", "```\n<!-- a -->\n```\n"],
])("changeText() changes %s", (_claim, page, changed) =>
  expect(changeText(page, (text) => text.toUpperCase())).toBe(changed),
);

test("listing() fences a text that has fences", () => {
  expect(listing("a/Dockerfile", "FROM x\n")).toContain("\n````docker\nFROM x\n````\n");
  expect(listing("a/b@.service", "[Unit]\n")).toContain("\n````txt\n[Unit]\n````\n");
});

test("links lead from page to page, to files as pages, and to nothing that isn't there", () => {
  const root = folderOf({
    "README.md": "# Top\n[a](docs/a.md#here) [b](https://b.example/) [c](docs/none.md) [d](#top)\n",
    "docs/README.md": "# Docs\n[up](../README.md) ![p](p.svg)\n",
    "docs/a.md": "# A\n[code](../src/a.ts) [all](../etc)\n\n```md\n[no](none.md)\n```\n",
    "docs/p.svg": "<svg/>",
    "src/a.ts": "export {};\n",
    "etc/x/y.conf": "y\n",
  });
  const pages = new Pages(root);
  expect(pages.dead).toEqual(["README.md: docs/none.md"]);
  expect(pages.texts.get("index.md")).toBe(
    "# Top\n[a](./docs/a.md#here) [b](https://b.example/) [c](docs/none.md) [d](#top)\n",
  );
  expect(pages.texts.get("docs/index.md")).toBe("# Docs\n[up](../index.md) ![p](./p.svg)\n");
  expect(pages.texts.get("docs/a.md")).toStartWith(
    "# A\n[code](../src/a.ts.md) [all](../etc/index.md)\n",
  );
  expect(pages.texts.get("src/a.ts.md")).toContain("export {};");
  expect(pages.texts.get("etc/index.md")).toContain("[x/y.conf](./x/y.conf.md)");
  expect([...pages.pictures]).toEqual(["docs/p.svg"]);
});

test("every page of docs is in the side bar, also one that no group names", () => {
  const root = folderOf({ "README.md": "# Top\n", "docs/new.md": "# `new` things\n" });
  expect(new Pages(root).sideBar()).toEqual([
    { text: "Begin", items: [{ text: "Top", link: "/index.md" }] },
    { text: "More", items: [{ text: "new things", link: "/docs/new.md" }] },
  ]);
});

const built: [claim: string, html: string, dead: string[], foreign: string[]][] = [
  ["a page, an anchor, a file", `<a href="b.html#x">b</a><a href="/a.css">c</a>`, [], []],
  ["itself, and the top", `<p id="y"></p><a href="#y">y</a><a href="#">top</a>`, [], []],
  ["a folder's index", `<a href="/">home</a>`, [], []],
  ["another host", `<a href="https://example.org/">there</a>`, [], []],
  ["a page that isn't there", `<a class="x" href="./none.html">n</a>`, ["./none.html"], []],
  ["an anchor that isn't there", `<a href="b.html#none">n</a>`, ["b.html#none"], []],
  ["an anchor of its own that isn't there", `<a href="#none">n</a>`, ["#none"], []],
  ["an anchor with an entity", `<p id="a&amp;b"></p><a href="#a&amp;b">n</a>`, [], []],
  ["a picture that isn't there", `<img alt="" src="/p.svg">`, ["/p.svg"], []],
  ["a picture within", `<img src="data:,">`, [], []],
  ["a script of another host", `<script src="//cdn.example/x.js">`, [], ["//cdn.example/x.js"]],
  [
    "a style of another host",
    `<link rel="stylesheet" href="https://x.example/">`,
    [],
    ["https://x.example/"],
  ],
];

test.each(built)("checkSite() knows %s", (_claim, html, dead, foreign) => {
  const site = folderOf({
    "index.html": html,
    "b.html": `<h1 id="x">x</h1>`,
    "a.css": `a { background: url("data:image/svg+xml,x") }`,
  });
  const checked = checkSite(site);
  expect(checked.dead).toEqual(dead.map((link) => `index.html: ${link}`));
  expect(checked.foreign).toEqual(foreign.map((address) => `index.html: ${address}`));
  expect(checked.pages).toBe(2);
});

test("checkSite() knows a font of another host", () => {
  const site = folderOf({ "a.css": `@font-face { src: url(https://fonts.example/x.woff2) }` });
  expect(checkSite(site).foreign).toEqual(["a.css: https://fonts.example/x.woff2"]);
});

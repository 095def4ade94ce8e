/**
 * `bun run docs:site [FOLDER]`: writes docs/ as static pages with a search into FOLDER, docs/site/dist if none is named, and
 * fails if a link of them is dead, or leads a browser to fetch something from another host.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { checkSite } from "./links.ts";
import { anchorOf, Pages } from "./pages.ts";
import { version } from "../../package.json";

const folder = import.meta.dir;

/** No page may fetch from elsewhere; VitePress has scripts and styles within its pages. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
].join("; ");

/** VitePress's configuration, a module. Its own anchors are not GitHub's, by which the pages' links go. */
function configuration(pages: Pages): string {
  const data = {
    title: "gunicorn-ts",
    description: "Gunicorn for Bun",
    head: [
      ["meta", { "http-equiv": "Content-Security-Policy", content: policy }],
      // No picture, which browsers would ask for.
      ["link", { rel: "icon", href: "data:," }],
    ],
    themeConfig: {
      search: { provider: "local" },
      outline: [2, 3],
      nav: [
        { text: "Quickstart", link: "/docs/quickstart" },
        { text: "Settings", link: "/docs/settings" },
        { text: version, link: "/docs/changelog" },
      ],
      sidebar: pages.sideBar(),
    },
  };
  return `const anchorOf = ${anchorOf.toString()};
export default { ...${JSON.stringify(data)}, markdown: { html: false, anchor: { slugify: anchorOf } } };\n`;
}

/** VitePress's own theme, in which code that is indented looks like code that is fenced. */
const theme = {
  ".vitepress/theme/index.mjs": `import theme from "vitepress/theme"; import "./own.css"; export default theme;`,
  ".vitepress/theme/own.css": `.vp-doc pre:not(.shiki) {
  overflow-x: auto; border-radius: 8px; padding: 20px 24px; background-color: var(--vp-code-block-bg);
}
.vp-doc pre:not(.shiki) code { padding: 0; background: none; color: inherit; font-size: 14px; }`,
};

/** Writes what VitePress reads. */
function stage(pages: Pages, root: string, place: string): void {
  const files = new Map([
    ...pages.texts,
    ...Object.entries(theme),
    [".vitepress/config.mjs", configuration(pages)],
  ]);
  for (const [path, text] of files) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), text);
  }
  // What the pages are compiled to imports vue.
  symlinkSync(join(folder, "node_modules"), join(place, "node_modules"));
  for (const path of pages.pictures) cpSync(join(root, path), join(place, path));
}

async function run(words: readonly string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")}: ${said.join("").trim()}`);
}

async function build(out: string): Promise<number> {
  const root = join(folder, "../..");
  const pages = new Pages(root);
  await run(["install", "--frozen-lockfile"]);
  const place = mkdtempSync(join(tmpdir(), "gunicorn-ts-site-"));
  try {
    stage(pages, root, place);
    const program = "node_modules/vitepress/bin/vitepress.js";
    await run(["--bun", program, "build", place, "--outDir", out]);
  } finally {
    rmSync(place, { recursive: true });
  }
  const { pages: count, links, dead, foreign } = checkSite(out);
  for (const link of [...pages.dead, ...dead]) console.error(`dead link: ${link}`);
  for (const address of foreign) console.error(`fetched from elsewhere: ${address}`);
  const faults = pages.dead.length + dead.length + foreign.length;
  console.log(`${out}: ${count} pages, ${links} links, ${faults} of them dead or foreign`);
  return faults === 0 && count > 0 ? 0 : 1;
}

if (import.meta.main)
  process.exitCode = await build(resolve(process.argv[2] ?? join(folder, "dist")));

/** The links of a built site: where they lead, what a browser would fetch from elsewhere. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const entities: Record<string, string> = { "&amp;": "&", "&quot;": '"', "&#39;": "'", "&lt;": "<" };

function unescape(text: string): string {
  return text.replace(/&(amp|quot|#39|lt);/g, (entity) => entities[entity] ?? entity);
}

/** What each element with `attribute` has there. */
function valuesOf(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map(([, value = ""]) => unescape(value));
}

export interface Checked {
  readonly pages: number;
  readonly links: number;
  /** `PAGE: LINK`, of links to no file or no anchor of the site. */
  readonly dead: readonly string[];
  /** `FILE: ADDRESS`, of scripts, styles, fonts and pictures of other hosts. */
  readonly foreign: readonly string[];
}

/** Reads all pages and styles below a folder. */
export function checkSite(folder: string): Checked {
  const html = new Map<string, string>();
  for (const path of [...new Bun.Glob("**/*.html").scanSync(folder)].sort())
    html.set(path, readFileSync(join(folder, path), "utf8"));
  const anchors = new Map(
    [...html].map(([path, text]) => [path, new Set(valuesOf(text, /\sid="([^"]*)"/g))]),
  );
  const found: Checked & { links: number } = { pages: html.size, links: 0, dead: [], foreign: [] };
  const [dead, foreign] = [found.dead as string[], found.foreign as string[]];
  for (const [path, text] of html) {
    const fetched = valuesOf(text, /<(?:script|img|source)\b[^>]*?\ssrc="([^"]*)"/g);
    const linked = valuesOf(text, /<link\b[^>]*?\shref="([^"]*)"/g);
    for (const address of [...fetched, ...linked])
      if (isForeign(address)) foreign.push(`${path}: ${address}`);
      else if (!leadsToFile(folder, path, address)) dead.push(`${path}: ${address}`);
    for (const link of valuesOf(text, /<a\b[^>]*?\shref="([^"]*)"/g)) {
      found.links++;
      if (isForeign(link) || /^(mailto|data):/.test(link)) continue;
      const [file = "", anchor = ""] = link.split("#");
      const target = targetOf(path, file);
      const exists =
        anchor === "" || (anchors.get(target)?.has(decodeURIComponent(anchor)) ?? false);
      if (!leadsToFile(folder, path, file) || !exists) dead.push(`${path}: ${link}`);
    }
  }
  for (const path of new Bun.Glob("**/*.css").scanSync(folder)) {
    const text = readFileSync(join(folder, path), "utf8");
    for (const address of valuesOf(text, /(?:url\(|@import )["']?([^"')]+)/g))
      if (isForeign(address)) foreign.push(`${path}: ${address}`);
  }
  return found;
}

function isForeign(address: string): boolean {
  return /^([a-z]+:)?\/\//.test(address);
}

/** The file that a link of a page means, by its path in the site. */
function targetOf(page: string, file: string): string {
  if (file === "") return page;
  const path = file.startsWith("/") ? file.slice(1) : join(dirname(page), file);
  return path === "" || path.endsWith("/") ? `${path}index.html` : path;
}

function leadsToFile(folder: string, page: string, file: string): boolean {
  return file.startsWith("data:") || existsSync(join(folder, targetOf(page, file)));
}

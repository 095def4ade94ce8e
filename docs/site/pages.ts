/**
 * What the site is made of: the pages for users and for who changes the server, and each file that one of them leads to, as a
 * page that shows it. Links between them lead from page to page, so that none leaves the site but to another host.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";

/** The side bar. Pages that stand nowhere here are in its last group. */
const groups: readonly (readonly [title: string, pages: readonly string[]])[] = [
  ["Begin", ["README", "docs/README", "docs/quickstart", "docs/apps", "examples/README"]],
  ["Come from", ["docs/from-gunicorn", "docs/from-pm2", "docs/differences"]],
  [
    "Set up",
    [
      "docs/settings",
      "docs/signals",
      "docs/control",
      "docs/worker-classes",
      "docs/tls",
      "docs/http2",
      "docs/websockets",
      "docs/tuning",
      "docs/overload",
    ],
  ],
  [
    "Deploy",
    ["docs/deploy", "docs/deploy-systemd", "docs/deploy-containers", "docs/deploy-executable"],
  ],
  [
    "Watch",
    [
      "docs/logging",
      "docs/log-lines",
      "docs/monitoring",
      "docs/instrumentation",
      "docs/traces",
      "docs/benchmarks",
    ],
  ],
  [
    "Know",
    [
      "docs/http",
      "docs/design",
      "src/README",
      "docs/benchmarking",
      "docs/releasing",
      "docs/changelog",
    ],
  ],
];

/** Where a path of the project stands in the site's sources; a folder's README is its index. */
function placeOf(path: string): string {
  return path.replace(/(^|\/)README\.md$/, "$1index.md");
}

/** GitHub's name for a heading. */
export function anchorOf(heading: string): string {
  const kept = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "");
  return kept.trim().replaceAll(" ", "-");
}

/** The parts of a page outside of code, changed; comments, which the site would show, are gone. */
export function changeText(page: string, change: (text: string) => string): string {
  return page.replaceAll(
    /^(`{3,})[^]*?^\1$|(?:(?!^`{3})[^])+/gm,
    (part: string, fence: string | undefined) =>
      fence === undefined ? change(part.replaceAll(/<!--[^]*?-->\n*/g, "")) : part,
  );
}

/** The text of a file as a page. */
export function listing(path: string, text: string): string {
  const languages: Record<string, string> = { ".conf": "nginx", ".ts": "ts", ".yaml": "yaml" };
  const language = basename(path) === "Dockerfile" ? "docker" : (languages[extname(path)] ?? "txt");
  return `---\nsearch: false\n---\n\n# ${path}\n\n\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\`\n`;
}

export class Pages {
  readonly #root: string;
  /** By their places in the site. */
  readonly texts = new Map<string, string>();
  /** Pictures, by their paths in the project. */
  readonly pictures = new Set<string>();
  /** `PAGE: LINK`, of links to files that aren't there. */
  readonly dead: string[] = [];

  constructor(root: string) {
    this.#root = root;
    const found = ["*.md", "docs/*.md", "examples/*.md", "src/*.md", "test/corpus/*.md"];
    for (const pattern of found)
      for (const path of [...new Bun.Glob(pattern).scanSync(root)].sort()) this.#add(path);
  }

  #add(path: string): void {
    const place = placeOf(path);
    if (this.texts.has(place)) return;
    this.texts.set(place, "");
    const text = readFileSync(join(this.#root, path), "utf8");
    const lead = (whole: string, link: string) => {
      const to = this.#lead(path, link);
      return to === null ? whole : `](${to})`;
    };
    this.texts.set(
      place,
      changeText(text, (part) => part.replaceAll(/\]\(([^)\s]+)\)/g, lead)),
    );
  }

  /** Where a page's link leads in the site; null, as it says. */
  #lead(page: string, link: string): string | null {
    if (/^([a-z]+:|#)/.test(link)) return null;
    const [file = "", anchor] = link.split("#");
    const path = join(dirname(page), file);
    if (!existsSync(join(this.#root, path))) {
      this.dead.push(`${page}: ${link}`);
      return null;
    }
    const to = relative(dirname(placeOf(page)), this.#pageOf(path));
    return (to.startsWith(".") ? to : `./${to}`) + (anchor === undefined ? "" : `#${anchor}`);
  }

  #pageOf(path: string): string {
    if (path.endsWith(".md")) {
      this.#add(path);
      return placeOf(path);
    }
    if (/\.(svg|webp|png)$/.test(path)) {
      this.pictures.add(path);
      return path;
    }
    const isFolder = statSync(join(this.#root, path)).isDirectory();
    const place = isFolder ? join(path, "index.md") : `${path}.md`;
    if (!this.texts.has(place)) {
      this.texts.set(place, isFolder ? "" : listing(path, this.#read(path)));
      if (isFolder) this.texts.set(place, this.#folder(path));
    }
    return place;
  }

  #folder(path: string): string {
    const entries = readdirSync(join(this.#root, path), { recursive: true, encoding: "utf8" });
    const files = entries.filter((entry) => statSync(join(this.#root, path, entry)).isFile());
    const items = files.sort().map((file) => {
      const place = relative(path, this.#pageOf(join(path, file)));
      return `- [${file}](./${place})`;
    });
    return `---\nsearch: false\n---\n\n# ${path}\n\n${items.join("\n")}\n`;
  }

  #read(path: string): string {
    return readFileSync(join(this.#root, path), "utf8");
  }

  /** VitePress's side bar. */
  sideBar(): object[] {
    const isListed = (place: string) => /^(docs\/)?[^/]+\.md$/.test(place);
    const known = groups.map(([text, names]) => ({
      text,
      places: names.map((name) => placeOf(`${name}.md`)).filter((place) => this.texts.has(place)),
    }));
    const named = new Set(known.flatMap(({ places }) => places));
    const more = [...this.texts.keys()].filter((place) => isListed(place) && !named.has(place));
    return [...known, { text: "More", places: more }]
      .filter(({ places }) => places.length > 0)
      .map(({ text, places }) => ({
        text,
        items: places.map((place) => ({ text: this.#title(place), link: `/${place}` })),
      }));
  }

  #title(place: string): string {
    const [, title = place] = /^# (.+)$/m.exec(this.texts.get(place) ?? "") ?? [];
    return title.replaceAll("`", "");
  }
}

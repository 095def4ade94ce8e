/**
 * Apps that a tool of their framework makes: one after the other, as each takes all of the machine, and Vite wants a
 * project for itself.
 */
import { headType } from "./fetch-apps.ts";
import type { FrameworkApp } from "./framework-app.ts";
import { compressedRows, pageRows } from "./own-requests.ts";
import { rows, typedRows } from "./requests.ts";

export const builtApps: readonly FrameworkApp[] = [
  {
    name: "Nitro, preset bun",
    folder: "nitro",
    build: ["nitro", "build"],
    file: ".output/server/index.mjs",
    found: "Bun.serve({ fetch })",
    packages: ["nitro"],
    mind: "set the preset, `NITRO_PRESET=bun nitro build`, and run `.output/server/index.mjs`",
    lacks: ["Range", "client address", "gzip", "session"],
  },
  {
    name: "SvelteKit, svelte-adapter-bun",
    folder: "sveltekit",
    build: ["vite", "build"],
    env: { ADAPTER: "bun", BODY_SIZE_LIMIT: "Infinity" },
    file: "build/bun/index.js",
    found: "Bun.serve({ fetch, websocket })",
    packages: ["@sveltejs/kit", "svelte-adapter-bun"],
    mind: "`BODY_SIZE_LIMIT` is its own limit, 512 KiB, and `ORIGIN` the address that its users see",
    rows: [...pageRows, ...typedRows, ...compressedRows],
    differs: { "HEAD of 5 MiB": headType },
    lacks: ["file that the client has", "gzip", "session"],
  },
  {
    name: "SvelteKit, adapter-node",
    folder: "sveltekit",
    build: ["vite", "build"],
    env: { ADAPTER: "node", BODY_SIZE_LIMIT: "Infinity" },
    file: "build/node/index.js",
    found: "polka({ server }).use(handler), server.listen()",
    packages: ["@sveltejs/kit", "@sveltejs/adapter-node"],
    mind: "`BODY_SIZE_LIMIT` is its own limit, 512 KiB, and `ORIGIN` the address that its users see",
    rows: [...pageRows, ...typedRows, ...compressedRows],
    lacks: ["file that the client has", "gzip", "session"],
    isListener: true,
  },
  {
    name: "Astro, standalone",
    folder: "astro",
    build: ["astro", "build"],
    // It listens on localhost, whose first address may be ::1.
    env: { ASTRO_TELEMETRY_DISABLED: "1", HOST: "127.0.0.1" },
    file: "dist/server/entry.mjs",
    found: "createServer(handler).listen(port)",
    packages: ["astro", "@astrojs/node"],
    rows: [...pageRows, ...rows],
    lacks: ["gzip", "session"],
    isListener: true,
  },
];

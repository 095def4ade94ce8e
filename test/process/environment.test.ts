/** Files of variables that Bun reads before the server's first line. */
import { expect, test } from "bun:test";
import { start } from "../support/server.ts";

const text = `export const startup = () => console.log("app:", process.env.NODE_ENV, process.env.FROM);
export const fetch = () => new Response();`;

const warning = /WARNING\] Bun has read (\S+), since NODE_ENV isn't set/;

test.each([
  ["none", {}, {}, [], "production undefined", null],
  ["plain ones", { ".env": "FROM=plain" }, {}, [], "production plain", null],
  [
    "those of development",
    { ".env.development": "FROM=development" },
    {},
    [],
    "production development",
    ".env.development",
  ],
  [
    "local ones of development",
    { ".env.development.local": "FROM=local" },
    {},
    [],
    "production local",
    ".env.development.local",
  ],
  [
    "those of production",
    { ".env.development": "FROM=development", ".env.production": "FROM=production" },
    { NODE_ENV: "production" },
    [],
    "production production",
    null,
  ],
  [
    "development, as it is asked for",
    { ".env.development": "FROM=development" },
    { NODE_ENV: "development" },
    [],
    "development development",
    null,
  ],
  [
    "one that is named",
    { ".env.development": "FROM=development", own: "FROM=own" },
    {},
    ["--env-file=own"],
    "production own",
    null,
  ],
] as const)(
  "%s: the app sees what it says, and a warning what it shouldn't",
  async (...row) => {
    const [, files, env, runtimeArgs, seen, warned] = row;
    await using server = start({ files: { "app.ts": text, ...files }, env, runtimeArgs });
    await server.logged(/app:.*\n/);
    await server.logged("Using worker:");
    expect(server.log).toContain(`app: ${seen}\n`);
    expect(warning.exec(server.log)?.[1] ?? null).toBe(warned);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

/** Where messages say that a setting stands: each wrong value of each setting, from each source. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withPlace } from "../../../../src/config/sources/places.ts";
import { type ConfigInputs, resolveConfig } from "../../../../src/config/sources/resolve.ts";
import { settingEntries } from "../../../../src/config/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-places-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The message of what is refused; null for what is taken. */
function refusal(inputs: Partial<ConfigInputs>): Promise<string | null> {
  const machine = { platform: "linux", cpuCount: () => 7 };
  return resolveConfig({
    argv: [],
    env: {},
    cwd: folder,
    generation: 1,
    ...machine,
    ...inputs,
  }).then(
    () => null,
    (error: Error) => error.message,
  );
}

/** Nothing of any kind. A text may be a name, and is refused where there is none. */
const wrongWords = ["no such thing", "-7", "99999999999999999999", "a:b:c"];
const wrongValues = [...wrongWords, -7, 1.5, {}, [7], [{}], 1e300];

const works = settingEntries.filter(([, { status }]) => status === "works");
const flags = works.flatMap(([key, { kind, flags: all = [] }]) =>
  kind.takes === "nothing" ? [] : all.map((flag) => [key, flag] as const),
);

/** Whether a text is right is found out when it is used: accounts, files, formats, or nobody's business. */
const takesAllWords = [
  "pidfile",
  "user",
  "group",
  "forwarderHeaders",
  "rootPath",
  "accesslog",
  "accessLogFormat",
  "errorlog",
  "loggerClass",
  "logconfig",
  "logconfigJson",
  "syslogPrefix",
  "dogstatsdTags",
  "procName",
  "certfile",
  "controlSocket",
];

describe("a wrong value", () => {
  test.each(flags)("of %s on the command line", async (key, { long }) => {
    const words = wrongWords.map((word) => `${long}=${word}`);
    const said = await Promise.all(words.map((word) => refusal({ argv: [word] })));
    const refused = said.filter((message) => message !== null);
    expect(refused.length === 0).toBe(takesAllWords.includes(key));
    for (const message of refused)
      expect(message).toMatch(new RegExp(`^(?:${long}|argument [^:]*${long}\\b[^:]*): `));
    const fromEnvironment = await Promise.all(
      words.map((word) => refusal({ env: { GUNICORN_CMD_ARGS: `'${word}'` } })),
    );
    expect(fromEnvironment).toEqual(
      said.map((message) => (message === null ? null : `GUNICORN_CMD_ARGS: ${message}`)),
    );
  });

  let generation = 0;
  test.each(works.filter(([key]) => key !== "config"))("of %s in a file", async (key) => {
    for (const value of wrongValues) {
      writeFileSync(join(folder, "gunicorn.conf.json"), JSON.stringify({ [key]: value }));
      const message = await refusal({ generation: (generation += 1) });
      expect(message ?? `gunicorn.conf.json: ${key}: `).toStartWith(`gunicorn.conf.json: ${key}: `);
    }
    rmSync(join(folder, "gunicorn.conf.json"));
  });

  test.each(["PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS"])("of %s", async (variable) => {
    const message = await refusal({ env: { [variable]: "no such thing" } });
    expect(message).toStartWith(`${variable}: `);
  });
});

test("the places of what isn't at its default come with the configuration", async () => {
  const { places } = await resolveConfig({
    argv: ["--bind", ":0", "-t", "3"],
    env: { GUNICORN_CMD_ARGS: "--user nobody -t 4", WEB_CONCURRENCY: "2" },
    cwd: folder,
    generation: 1,
    platform: "linux",
    cpuCount: () => 7,
  });
  expect(Object.fromEntries(places)).toEqual({
    bind: "--bind",
    timeout: "--timeout",
    user: "GUNICORN_CMD_ARGS: --user",
    workers: "WEB_CONCURRENCY",
  });
});

describe("withPlace()", () => {
  const places = new Map([
    ["user", "--user"],
    ["workerTmpDir", "gunicorn.conf.ts: workerTmpDir"],
  ] as const);
  test.each([
    ["user: No such user", "--user: No such user"],
    ["user", "user"],
    ["users: none", "users: none"],
    ["worker_tmp_dir: none", "gunicorn.conf.ts: workerTmpDir: none"],
    ["workerTmpDir: none", "gunicorn.conf.ts: workerTmpDir: none"],
    ["workerTmpDir[0]: none", "gunicorn.conf.ts: workerTmpDir[0]: none"],
    ["group: none", "group: none"],
    ["No such user: user: x", "No such user: user: x"],
    ["toString: x", "toString: x"],
    ["", ""],
  ])("makes of %p %p", (message, told) => {
    expect(withPlace(message, places)).toBe(told);
  });
});
